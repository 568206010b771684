"""What can go wrong with an account, from the caller's view. No status codes here.

Exception
 ├── UnreadableSecret                          no configured key opens a sealed value
 └── AccountError                              never raised itself
      ├── InvalidCredentials                   wrong login or password, or sign-in not allowed
      │    └── WrongPassword                   the current password, given to change it, is wrong
      ├── SecondFactorCodeRequired             correct password, missing or wrong code
      ├── SecondFactorEnrollmentRequired       the role requires a second factor
      ├── SecondFactorNotUsed                  the session has not used the second factor
      ├── EmailNotVerified                     the address must be verified before this
      ├── RecentAuthenticationRequired         the session's authentication is too old for this
      ├── Unauthenticated                      no active session or API key
      ├── RoleRequired                         the caller is no longer an admin
      ├── InvalidToken                         emailed token unknown, used, expired or outdated
      │    └── InvalidInvitation               the same of the token of an invitation
      ├── TooManyRequests                      the caller has to wait
      │    └── TooManyAttempts                 the account is locked after failed attempts
      ├── Busy                                 the queue for password hashes is full
      ├── HookFailed                           a function of the operator has failed
      ├── EmailNotConfigured                   no way to send email is configured
      ├── UserNotFound                         no such user
      ├── SessionNotFound                      the user has no such session
      ├── ApiKeyNotFound                       the user has no such API key
      ├── ClientNotFound                       no such client
      ├── ClientSecretNotFound                 the client has no such secret
      ├── InvitationNotFound                   no such invitation
      ├── FixedSigningKeysChange               the signing keys are in a file
      ├── InvalidClient                        no enabled client has this secret
      ├── SecondFactorNotEnabled               the user has no second factor
      ├── SecondFactorAlreadyEnabled           the user already has a second factor
      ├── InvalidField                         a value that the rules reject
      │    ├── WeakPassword                    too short, too common or too easy to guess
      │    ├── InvalidEmail                    not a valid email address
      │    ├── UnknownRole                     no role that is known
      │    └── Refused                         a function of the operator refuses the change
      ├── UsernameTaken                        another user has this username
      ├── EmailTaken                           another user has this email address
      ├── AlreadyInvited                       the address has a pending invitation
      ├── InvitationOutdated                   what an invitation gives is no longer accepted
      ├── AudienceTaken                        another client has this audience
      ├── TooManySecrets                       the client has two secrets already
      ├── IdempotencyKeyUsed                   what the first request created has changed since
      ├── IdempotencyKeyReused                 the first request with this key had another body
      ├── LastAdmin                            no active admin would be left
      ├── VersionMismatch                      the item has changed since the caller read it
      └── TooManyConflicts                     concurrent updates kept winning
"""

from collections.abc import Iterable, Sequence
from datetime import datetime


class UnreadableSecret(Exception):
    """No configured key opens a sealed value: a fault of the configuration or of the stored data.

    Its text is for the log. The response is that of an internal error.
    """


class AccountError(Exception):
    """Base of every error of the domain. Its text is written for the caller.

    Attributes:
        field: The field of the request that is at fault, None if no single one is.
        subject: For the log: the ID of the user that the request was about, or the key of an
            unknown login or a client; None if it is not known.
        other_failures: What else is at fault in the same transaction.
    """

    field: str | None = None
    subject: str | None = None
    other_failures: Sequence[Exception] = ()


class InvalidCredentials(AccountError):
    """The login or the password is wrong, or the user may not sign in: never which of them."""

    def __init__(self, detail: str = "The login or the password is wrong.") -> None:
        super().__init__(detail)


class WrongPassword(InvalidCredentials):
    """The current password, which a change of password requires, is wrong."""

    field = "current_password"

    def __init__(self) -> None:
        super().__init__("The current password is wrong.")


class IncorrectPassword(InvalidCredentials):
    """The password of the account, which the verification of its address requires, is wrong."""

    field = "password"

    def __init__(self) -> None:
        super().__init__("This is not the password of the account.")


class SecondFactorCodeRequired(AccountError):
    """The password is correct, but the code of the second factor is missing or wrong.

    Attributes:
        session_epoch: The epoch of the user whose password was verified, for
            `SessionService.continue_sign_in`; None if none was.
    """

    session_epoch: float | None = None

    def __init__(self, detail: str = "Send the code of your second factor as `otp`.") -> None:
        super().__init__(detail)


class SecondFactorEnrollmentRequired(AccountError):
    """The service requires a second factor for rights over others, and this user has none."""

    def __init__(self) -> None:
        super().__init__(
            "Admins, support and auditors need a second factor here. Set one up and retry."
        )


class SecondFactorNotUsed(AccountError):
    """The service requires a second factor for these rights, and the session or key used none."""

    def __init__(self, detail: str = "Reauthenticate with a code of your second factor.") -> None:
        super().__init__(detail)


class EmailNotVerified(AccountError):
    """The address must be verified before the account gets further ways of access."""

    def __init__(self) -> None:
        super().__init__(
            "Verify your email address first: `POST /v1/email-verifications` sends a token."
        )


class RecentAuthenticationRequired(AccountError):
    """The session was authenticated too long ago for a change as sensitive as this."""

    def __init__(self) -> None:
        super().__init__("You signed in too long ago for this. Reauthenticate and retry.")


class Unauthenticated(AccountError):
    """The token belongs to no active session or key of an active user."""

    def __init__(
        self, detail: str = "Sign in: the request carries no token of an active session."
    ) -> None:
        super().__init__(detail)


class RoleRequired(AccountError):
    """The caller lacks the role or the scope that the request requires, maybe since a moment."""

    def __init__(self, detail: str = "Only an admin may do this.") -> None:
        super().__init__(detail)


class InvalidToken(AccountError):
    """The emailed token was never issued, or is used, expired or outdated."""

    field = "token"

    def __init__(
        self, detail: str = "The token is not valid or no longer valid. Request a new one."
    ) -> None:
        super().__init__(detail)


class InvalidInvitation(InvalidToken):
    """The token belongs to no invitation that counts: the caller is not told which of the reasons.

    It was never sent, or is used, expired or revoked, a newer one was sent, or the admin who sent
    it is no active admin any more.
    """

    def __init__(self) -> None:
        super().__init__(
            "The invitation is not valid or no longer valid. Ask the sender for a new one."
        )


class TooManyRequests(AccountError):
    """The caller has to wait.

    Attributes:
        retry_after: Whole seconds to wait, at least 1.
        quota: The name of the exhausted quota, if it is one.
        counted_as: The key under which the requests were counted.
    """

    def __init__(
        self,
        retry_after: int,
        detail: str = "Too many requests of this kind.",
        *,
        quota: str | None = None,
        counted_as: str | None = None,
    ) -> None:
        super().__init__(f"{detail} Try again in {retry_after} seconds.")
        self.retry_after = retry_after
        self.quota = quota
        self.counted_as = counted_as


class TooManyAttempts(TooManyRequests):
    """Too many attempts have failed: for a while no password is verified.

    Attributes:
        since: When the lockout began; None if concurrent attempts kept winning.
    """

    def __init__(
        self, retry_after: int, *, subject: str | None = None, since: datetime | None = None
    ) -> None:
        super().__init__(retry_after, "Too many attempts to sign in.")
        self.subject = subject
        self.since = since


class Busy(AccountError):
    """This process computes as many password hashes as it may, and its queue is full."""

    def __init__(self) -> None:
        super().__init__("Too many passwords are being verified right now. Retry shortly.")


class EmailNotConfigured(AccountError):
    """No way to send email is configured."""

    def __init__(self) -> None:
        super().__init__("This service sends no email. Contact its operator.")


class UserNotFound(AccountError):
    """There is no user with this ID."""

    def __init__(self) -> None:
        super().__init__("There is no user with this ID.")


class SessionNotFound(AccountError):
    """The user has no session with this ID."""

    def __init__(self) -> None:
        super().__init__("You have no session with this ID.")


class ApiKeyNotFound(AccountError):
    """The user has no API key with this ID."""

    def __init__(self) -> None:
        super().__init__("There is no API key with this ID.")


class ClientNotFound(AccountError):
    """There is no client with this ID."""

    def __init__(self) -> None:
        super().__init__("There is no client with this ID.")


class InvitationNotFound(AccountError):
    """There is no invitation with this ID."""

    def __init__(self) -> None:
        super().__init__("There is no invitation with this ID.")


class UnknownAudience(AccountError):
    """No client that is not disabled has this audience."""

    field = "audience"

    def __init__(self) -> None:
        super().__init__("No client has this audience. It is compared to the letter.")


class RolesNotHeld(AccountError):
    """The caller asks for roles that do not count for its session or API key."""

    field = "roles"

    def __init__(self, missing: Iterable[str]) -> None:
        super().__init__(f"Roles can only be left out, and you do not have: {', '.join(missing)}.")


class ScopesNotHeld(AccountError):
    """The client asks for scopes that it does not have."""

    def __init__(self) -> None:
        super().__init__("Scopes can only be left out, and the client does not have all of these.")


class SigningKeyNotFound(AccountError):
    """There is no signing key with this ID."""

    def __init__(self) -> None:
        super().__init__("There is no signing key with this ID; `roster keys list` shows all.")


class FixedSigningKeysChange(AccountError):
    """The signing keys are in a file, which only its operator changes."""

    def __init__(self, advice: str) -> None:
        super().__init__(f"The signing keys are those of ROSTER_TOKEN_KEYS_FILE: {advice}.")


class ClientSecretNotFound(AccountError):
    """The client has no secret with this ID."""

    def __init__(self) -> None:
        super().__init__("The client has no secret with this ID.")


class InvalidClient(AccountError):
    """No client that is not disabled has this secret."""

    def __init__(self) -> None:
        super().__init__("The client is unknown or disabled, or its secret is wrong.")


class SecondFactorNotEnabled(AccountError):
    """The user has no second factor, or none that is waiting for confirmation."""

    def __init__(self) -> None:
        super().__init__("There is no second factor. Set one up first.")


class SecondFactorAlreadyEnabled(AccountError):
    """The user already has a second factor."""

    def __init__(self) -> None:
        super().__init__("There is already a second factor. Turn it off first.")


class InvalidField(AccountError):
    """A value that the rules of the domain reject.

    Attributes:
        field: The name of the rejected value, as in `email`.
        path: The names that lead to what is at fault within the value.
    """

    field: str

    def __init__(self, field: str, detail: str, path: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.field = field
        self.path = path


def raise_together(faults: Iterable[InvalidField]) -> None:
    """Raise the first of several faults with the others in `other_failures`; nothing if none.

    Raises:
        InvalidField: There is at least one.
    """
    found = list(faults)
    if found:
        first, *others = found
        first.other_failures = others
        raise first


class WeakPassword(InvalidField):
    """The password is too short, too common or too easy to guess; the text says which."""


class InvalidEmail(InvalidField):
    """The value is not a valid email address; the text says why."""


class UnknownRole(InvalidField):
    """The value is no role that is built in or named by the settings."""

    def __init__(self, field: str, known: Iterable[str], path: Sequence[str] = ()) -> None:
        super().__init__(field, f"There is no such role. The roles are {', '.join(known)}.", path)


class Refused(InvalidField):
    """A function of the operator refuses the change; the text is its own.

    The field is empty if it is about the request as a whole.
    """


class HookFailed(AccountError):
    """A function of the operator has failed or took too long. Why is in the log only."""

    def __init__(self) -> None:
        super().__init__("A check of this service failed. Nothing was changed. Retry shortly.")


class UsernameTaken(AccountError):
    """Another user has this username."""

    field = "username"

    def __init__(self) -> None:
        super().__init__("The username is already in use. Choose another one.")


class ExternalIdTaken(AccountError):
    """Another user has this ID of another system."""

    field = "external_id"

    def __init__(self) -> None:
        super().__init__("Another user has this external ID.")


class EmailTaken(AccountError):
    """Another user has this email address, in whatever case."""

    field = "email"

    def __init__(self) -> None:
        super().__init__("There is already an account with this email address.")


class AlreadyInvited(AccountError):
    """The email address has an invitation that is pending."""

    field = "email"

    def __init__(self) -> None:
        super().__init__("This email address has an invitation. Resend it, or revoke it first.")


class InvitationOutdated(AccountError):
    """What an invitation gives is no longer accepted: the settings have changed since."""

    def __init__(self) -> None:
        super().__init__(
            "The service no longer accepts what this invitation gives, such as a role that was"
            " removed. A new invitation is needed."
        )


class AudienceTaken(AccountError):
    """Another client has this audience."""

    field = "audience"

    def __init__(self) -> None:
        super().__init__("Another client has this audience. Choose another URI.")


class TooManySecrets(AccountError):
    """The client has two secrets already."""

    def __init__(self) -> None:
        super().__init__("The client has two secrets, the maximum. Revoke one first.")


class IdempotencyKeyUsed(AccountError):
    """An earlier request has this idempotency key, and what it created has changed since."""

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key was executed, and what it created was changed or"
            " removed since. Read it, or send a new key to create another one."
        )


class IdempotencyKeyReused(AccountError):
    """An earlier request with the same idempotency key had another body."""

    field = "Idempotency-Key"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key had another body. Choose a new key for each"
            " request."
        )


class LastAdmin(AccountError):
    """The change would leave no active admin."""

    def __init__(self) -> None:
        super().__init__("This is the last active admin. Appoint another one first.")


class VersionMismatch(AccountError):
    """The user or the client is at another version than the caller has read."""

    def __init__(self, what: str = "user") -> None:
        super().__init__(f"The {what} has changed since you read it. Read it again and repeat.")


class TooManyConflicts(AccountError):
    """Concurrent updates kept winning until this one gave up."""

    def __init__(self) -> None:
        super().__init__("Conflicting concurrent updates. Retry the request.")
