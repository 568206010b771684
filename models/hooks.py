"""What the functions of a module of hooks get and return; its authors import it as `roster.hooks`.

All of it is immutable, and none of it has a password, a token or a digest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The origin of a change.

    Attributes:
        user_id: The ID of the signed-in user or of the client; None for anonymous callers and for
            commands.
        ip: The address of the client, None for commands.
        user_agent: The `User-Agent` of the request, if there is one.
        api_key_id: The ID of the API key that authenticated the user, None for a session.
    """

    user_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    api_key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UserSnapshot:
    """A user at one point in time.

    Attributes:
        id: The ID, a UUID; also of a user who is about to be registered.
        username: The username, None without one.
        email: The email address.
        email_verified: Whether the address is known to be the user's.
        pending_email: A requested new address, until it is confirmed.
        full_name: The display name, None without one.
        locale: The language tag of the user, None without one.
        external_id: The ID of the user in another system, None without one.
        status: `active` or `suspended`.
        roles: The roles.
        metadata: The JSON object of the user; arrays are tuples.
        app_metadata: The JSON object of the operator; arrays are tuples.
        created_at: When the user was registered.
        updated_at: When the user was last updated.
        last_login_at: When the user last signed in, None before.
    """

    id: str
    username: str | None
    email: str
    email_verified: bool
    pending_email: str | None
    full_name: str | None
    locale: str | None
    external_id: str | None
    status: str
    roles: tuple[str, ...]
    metadata: Mapping[str, Any]
    app_metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None

    def __repr__(self) -> str:
        return f"<UserSnapshot {self.id}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A user who is about to be registered, or who was.

    Attributes:
        user: The user.
        caller: The caller of the registration.
        is_import: Whether the user comes from another system, with `roster users import`.
    """

    user: UserSnapshot
    caller: Caller
    is_import: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A user whose credentials were verified.

    Attributes:
        user: The user.
        caller: The origin of the request.
        amr: The verified factors (RFC 8176): `pwd`, and `otp` if a second one was.
    """

    user: UserSnapshot
    caller: Caller
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update of a user.

    Attributes:
        before: The user before.
        after: The user afterwards.
        changed_fields: The names of the fields that differ.
        caller: The caller of the update.
    """

    before: UserSnapshot
    after: UserSnapshot
    changed_fields: tuple[str, ...]
    caller: Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A user who was deleted.

    Attributes:
        user: The user before.
        caller: The caller of the deletion.
    """

    user: UserSnapshot
    caller: Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What a function that is called before a change adds to it.

    Attributes:
        app_metadata: A JSON object. Its fields are added to the `app_metadata` of the user, and
            replace those of the same name.
    """

    app_metadata: Mapping[str, Any]


class Refusal(Exception):
    """Raised by a function that is called before a change: the change is rejected.

    Args:
        message: A sentence for the client and the user.
        field: The field of the user that is at fault; None for the request as a whole.
        others: Further fields at fault.
    """

    def __init__(
        self, message: str, *, field: str | None = None, others: Sequence["Refusal"] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.others = others
