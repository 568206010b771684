"""What can go wrong with an account, as the caller sees it. No status codes here.

Exception
 └── AccountError                 never raised itself
      ├── InvalidCredentials      the login or the password is wrong, or the user may not sign in
      │    └── WrongPassword      the current password, given to change it, is wrong
      ├── SecondFactorCodeRequired    the password is right, the second factor is missing or wrong
      ├── SecondFactorEnrollmentRequired     this role asks for a second factor, and the user has none
      ├── RecentAuthenticationRequired     the session's sign-in is too long ago for this
      ├── Unauthenticated         the token belongs to no living session or key
      ├── InvalidToken            the token out of a mail is unknown, used, expired or outdated
      ├── TooManyRequests         the caller has to wait
      │    └── TooManyAttempts    so many wrong passwords that the account has to rest
      ├── Busy                    this process computes as many hashes as it may
      ├── EmailNotConfigured       there is no way to send a mail
      ├── UserNotFound            no such user
      ├── SessionNotFound         the user has no such session
      ├── ApiKeyNotFound             the user has no such API key
      ├── SecondFactorNotEnabled    the user has no second factor
      ├── SecondFactorAlreadyEnabled      the user has a second factor already
      ├── InvalidField           a value that the rules refuse
      │    ├── WeakPassword       the password is too short, too common or too guessable
      │    └── InvalidEmail       the address cannot be one
      ├── UsernameTaken           somebody else has this user name
      ├── EmailTaken              somebody else has this address
      ├── LastAdmin               nobody would be left to administer
      ├── VersionMismatch         the user has changed since the caller read it
      └── Contended               so many change the user that this change had no turn
"""


class AccountError(Exception):
    """Base of everything the domain refuses. Its text is written for the caller."""


class InvalidCredentials(AccountError):
    """The login or the password is wrong, or the user may not sign in: never which of them."""

    def __init__(self, detail: str = "The login or the password is wrong.") -> None:
        super().__init__(detail)


class WrongPassword(InvalidCredentials):
    """The current password, which a change of password asks for, is wrong."""

    def __init__(self) -> None:
        super().__init__("The current password is wrong.")


class SecondFactorCodeRequired(AccountError):
    """The password is right, but the code of the second factor is missing or wrong."""

    def __init__(self, detail: str = "Send the code of your second factor as `otp`.") -> None:
        super().__init__(detail)


class SecondFactorEnrollmentRequired(AccountError):
    """The service asks admins for a second factor, and this one has none."""

    def __init__(self) -> None:
        super().__init__("Admins need a second factor here. Set one up, and repeat.")


class RecentAuthenticationRequired(AccountError):
    """The session's sign-in is too long ago for a change as sensitive as this."""

    def __init__(self) -> None:
        super().__init__("Your sign-in is too long ago for this. Give your password once more.")


class Unauthenticated(AccountError):
    """The token belongs to no living session or key of an active user."""

    def __init__(self) -> None:
        super().__init__("Sign in: the request carries no token of a living session.")


class InvalidToken(AccountError):
    """The token out of a mail was never given, is used, has expired, or is outdated."""

    def __init__(self) -> None:
        super().__init__("The token is not valid, or not any more. Ask for a new one.")


class TooManyRequests(AccountError):
    """The caller has to wait.

    Attributes:
        retry_after: For how many whole seconds, 1 at the least.
    """

    def __init__(self, retry_after: int, detail: str = "Too many requests of this kind.") -> None:
        super().__init__(f"{detail} Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class TooManyAttempts(TooManyRequests):
    """So many wrong passwords were tried that no password is looked at for a while."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after, "Too many attempts to sign in.")


class Busy(AccountError):
    """This process computes as many password hashes as it may, and others wait already."""

    def __init__(self) -> None:
        super().__init__("Too many passwords are being checked at this moment. Try again soon.")


class EmailNotConfigured(AccountError):
    """There is no way to send a mail."""

    def __init__(self) -> None:
        super().__init__("This service sends no mail. Ask its operator.")


class UserNotFound(AccountError):
    """There is no user with this id."""

    def __init__(self) -> None:
        super().__init__("There is no user with this id.")


class SessionNotFound(AccountError):
    """The user has no session with this id."""

    def __init__(self) -> None:
        super().__init__("You have no session with this id.")


class ApiKeyNotFound(AccountError):
    """The user has no API key with this id."""

    def __init__(self) -> None:
        super().__init__("There is no API key with this id.")


class SecondFactorNotEnabled(AccountError):
    """The user has no second factor, or none that waits to be confirmed."""

    def __init__(self) -> None:
        super().__init__("There is no second factor. Set one up first.")


class SecondFactorAlreadyEnabled(AccountError):
    """The user has a second factor already."""

    def __init__(self) -> None:
        super().__init__("There is a second factor already. Turn it off first.")


class InvalidField(AccountError):
    """A value that the rules of the domain refuse.

    Attributes:
        member: The name of the refused value, as in `email`.
    """

    def __init__(self, member: str, detail: str) -> None:
        super().__init__(detail)
        self.member = member


class WeakPassword(InvalidField):
    """The password is too short, too common or too easy to guess; the text says which."""


class InvalidEmail(InvalidField):
    """The value cannot be an e-mail address; the text says why."""


class UsernameTaken(AccountError):
    """Somebody has this user name."""

    def __init__(self) -> None:
        super().__init__("Somebody has this user name. Choose another one.")


class EmailTaken(AccountError):
    """Somebody has this e-mail address, in whatever case."""

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address.")


class LastAdmin(AccountError):
    """The change would leave no active user with the role admin."""

    def __init__(self) -> None:
        super().__init__("This is the last active admin. Make somebody else an admin first.")


class VersionMismatch(AccountError):
    """The user has changed since the caller read it."""

    def __init__(self) -> None:
        super().__init__("The user has changed since you read it. Read it again and repeat.")


class Contended(AccountError):
    """So many change this user at the same time that this change had no turn. Nothing is done."""

    def __init__(self) -> None:
        super().__init__("Too many others are changing this user. Try again soon.")
