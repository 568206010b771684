"""The arguments of an operator's functions, and the parsing of their results and errors."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from models.errors import Refused
from models.hooks import Additions, Caller, Refusal, Registration, Update, UserSnapshot
from models.tables.audit_event import Actor
from models.tables.user import User

# A sentence of a refusal is for people; a longer one is cut.
MAX_MESSAGE = 300
_MAX_REFUSED = 20
# Characters of a wrong value in the log.
_MAX_SHOWN = 50
# As in bodies of requests.
_MAX_DEPTH = 32


class HookFault(Exception):
    """A function has raised or returned what it may not; the text is for the log."""


def snapshot(user: User) -> UserSnapshot:
    """Return an immutable copy of what hooks and signals show of a user."""
    return UserSnapshot(
        id=user.id,
        username=user.username,
        email=user.email,
        email_verified=bool(user.email_verified),
        pending_email=user.pending_email,
        full_name=user.full_name,
        locale=user.locale,
        external_id=user.external_id,
        status=str(user.status),
        roles=tuple(map(str, user.roles)),
        metadata=_frozen(user.metadata or {}),
        app_metadata=_frozen(user.app_metadata_object),
        created_at=user.created_at,
        updated_at=user.updated_at,
        last_login_at=user.last_login_at,
    )


def registration_of(user: User, by: Actor, is_import: bool) -> Registration:
    """Return the argument about a new user."""
    return Registration(user=snapshot(user), caller=caller_of(by), is_import=is_import)


def update_of(before: User, after: User, changed_fields: tuple[str, ...], by: Actor) -> Update:
    """Return the argument about an update."""
    return Update(
        before=snapshot(before),
        after=snapshot(after),
        changed_fields=changed_fields,
        caller=caller_of(by),
    )


def caller_of(by: Actor) -> Caller:
    """Return the origin of a change."""
    return Caller(user_id=by.user_id, ip=by.ip, user_agent=by.user_agent, api_key_id=by.key_id)


def _frozen(value: Any) -> Any:
    match value:
        case Mapping():
            return MappingProxyType({name: _frozen(part) for name, part in value.items()})
        case list():
            return tuple(map(_frozen, value))
        case _:
            return value


def read_refusal(refusal: Any, fields: frozenset[str]) -> list[Refused]:
    """Return a refusal and its others as errors for the caller: bounded, and text only.

    Raises:
        HookFault: A message is no text, or a field is not one that can be named.
    """
    refusals = [refusal, *refusal.others][:_MAX_REFUSED]
    return [_as_error(each, fields) for each in refusals]


def _as_error(refusal: Any, fields: frozenset[str]) -> Refused:
    if not isinstance(refusal, Refusal) or not isinstance(refusal.message, str):
        raise HookFault("the message of its refusal is no text")
    if refusal.field is not None and refusal.field not in fields:
        raise HookFault(
            f"its refusal names the field {str(refusal.field)[:_MAX_SHOWN]!r},"
            f" which is not among: {', '.join(sorted(fields)) or 'none'}"
        )
    message = "".join(char if char.isprintable() else " " for char in refusal.message).strip()
    if not message:
        raise HookFault("its refusal has no message")
    if len(message) > MAX_MESSAGE:
        message = f"{message[: MAX_MESSAGE - 1]}\N{HORIZONTAL ELLIPSIS}"
    return Refused(refusal.field or "", message)


def read_additions(value: Any) -> dict[str, Any]:
    """Return what a function adds to `app_metadata`.

    Raises:
        HookFault: It has returned something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Additions):
        raise HookFault(f"it returned {kind_of(value)}, neither None nor Additions")
    if not isinstance(value.app_metadata, Mapping):
        raise HookFault(f"its app_metadata is {kind_of(value.app_metadata)}, no mapping")
    try:
        added: dict[str, Any] = _as_json(value.app_metadata)
    except HookFault as fault:
        raise HookFault(f"its app_metadata {fault}") from None
    return added


def _as_json(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON that is stored and returned exactly as it is."""
    if depth > _MAX_DEPTH:
        raise HookFault(f"is nested more than {_MAX_DEPTH} levels deep")
    match value:
        case None | bool():
            return value
        case int() if -(2**63) <= value < 2**64:
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case str() if "\0" not in value and value.encode(errors="replace").decode() == value:
            return str(value)
        case list() | tuple():
            return [_as_json(part, depth + 1) for part in value]
        case Mapping() if all(isinstance(name, str) for name in value):
            return {_as_json(name): _as_json(part, depth + 1) for name, part in value.items()}
        case _:
            raise HookFault(f"has {kind_of(value)} that JSON does not have or that is not stored")


def kind_of(value: Any) -> str:
    """Return the type of a value for the log, which has none of its content."""
    if hasattr(value, "close") and hasattr(value, "cr_frame"):
        # Otherwise Python warns that it was never awaited.
        value.close()
    return f"a value of the type {type(value).__name__}"
