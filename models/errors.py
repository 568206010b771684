"""What can go wrong with an account, as the caller sees it. No status codes here.

Exception
 └── AccountError                 never raised itself
      ├── InvalidCredentials      the login or the password is wrong, or the user may not sign in
      │    └── WrongPassword      the current password, given to change it, is wrong
      ├── Unauthenticated         the token belongs to no living session
      ├── UserNotFound            no such user
      ├── SessionNotFound         the user has no such session
      ├── InvalidMember           a value that the rules refuse
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


class Unauthenticated(AccountError):
    """The token belongs to no living session of an active user."""

    def __init__(self) -> None:
        super().__init__("Sign in: the request carries no token of a living session.")


class UserNotFound(AccountError):
    """There is no user with this id."""

    def __init__(self) -> None:
        super().__init__("There is no user with this id.")


class SessionNotFound(AccountError):
    """The user has no session with this id."""

    def __init__(self) -> None:
        super().__init__("You have no session with this id.")


class InvalidMember(AccountError):
    """A value that the rules of the domain refuse.

    Attributes:
        member: The name of the refused value, as in `email`.
    """

    def __init__(self, member: str, detail: str) -> None:
        super().__init__(detail)
        self.member = member


class WeakPassword(InvalidMember):
    """The password is too short, too common or too easy to guess; the text says which."""


class InvalidEmail(InvalidMember):
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
