"""Call the functions of an operator before and after changes, and send signals after them.

A function runs on a thread of its own, within a time limit. What it raises or returns never reaches
a client, except the sentences of a refusal. After a change its errors are logged only.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from models import signals
from models.errors import HookFailed, InvalidField, raise_together
from models.hooks import (
    Caller,
    Deletion,
    Refusal,
    Registration,
    SignIn,
    Update,
)
from models.services.hook_values import (
    HookFault,
    caller_of,
    kind_of,
    read_additions,
    read_refusal,
    registration_of,
    snapshot,
    update_of,
)
from models.services.metadata import MetadataRules
from models.services.timed_calls import Call, CallTimeout, TimedCalls, TooManyAbandoned
from models.tables.audit_event import Actor
from models.tables.session import Session
from models.tables.user import User

log = logging.getLogger("roster.hooks")


class HookName(StrEnum):
    """The functions of a module of hooks, by their names."""

    BEFORE_REGISTRATION = "before_registration"
    AFTER_REGISTRATION = "after_registration"
    BEFORE_SIGN_IN = "before_sign_in"
    AFTER_SIGN_IN = "after_sign_in"
    BEFORE_UPDATE = "before_update"
    AFTER_UPDATE = "after_update"


# What each function gets.
HOOK_ARGUMENTS: Mapping[HookName, type] = {
    HookName.BEFORE_REGISTRATION: Registration,
    HookName.AFTER_REGISTRATION: Registration,
    HookName.BEFORE_SIGN_IN: SignIn,
    HookName.AFTER_SIGN_IN: SignIn,
    HookName.BEFORE_UPDATE: Update,
    HookName.AFTER_UPDATE: Update,
}
_FIELDS_OF_UPDATES = frozenset(
    {
        "username",
        "email",
        "email_verified",
        "full_name",
        "locale",
        "metadata",
        "app_metadata",
        "external_id",
        "roles",
        "status",
    }
)
# The fields that a refusal can name: those of the request.
REFUSABLE_FIELDS: Mapping[HookName, frozenset[str]] = {
    HookName.BEFORE_REGISTRATION: _FIELDS_OF_UPDATES | {"password"},
    HookName.BEFORE_SIGN_IN: frozenset(),
    HookName.BEFORE_UPDATE: _FIELDS_OF_UPDATES,
}
HookFunction = Callable[[Any], Any]


class Hooks:
    """The functions of an operator, and the signals.

    Args:
        functions: The functions by their names; others are not called.
        module: The name of their module.
        limit: How long each call may take.
        metadata: The rules that additions to `app_metadata` have to follow.
    """

    def __init__(
        self,
        functions: Mapping[HookName, HookFunction] = MappingProxyType({}),
        *,
        module: str | None = None,
        limit: timedelta = timedelta(seconds=2),
        metadata: MetadataRules | None = None,
    ) -> None:
        self.functions = functions
        self.module = module
        self._calls = TimedCalls(limit.total_seconds())
        self._metadata = metadata or MetadataRules()

    def before_registration(self, user: User, by: Actor, *, is_import: bool) -> None:
        """Let the operator refuse a new user, or add to its `app_metadata`.

        Raises:
            Refused: The user is refused.
            HookFailed: The function failed.
        """
        name = HookName.BEFORE_REGISTRATION
        if self.asks(name):
            added = self._ask(name, registration_of(user, by, is_import))
            user.app_metadata = self.extended(name, user, added)

    def after_registration(self, user: User, by: Actor, *, is_import: bool) -> None:
        """Report a user who was registered."""
        signals.emit(
            signals.user_registered, lambda: {"registration": registration_of(user, by, is_import)}
        )
        self._tell(HookName.AFTER_REGISTRATION, lambda: registration_of(user, by, is_import))

    def asks(self, name: HookName) -> bool:
        """Return whether the operator has a function of this name."""
        return name in self.functions

    def before_sign_in(self, user: User, by: Actor, amr: tuple[str, ...]) -> dict[str, Any]:
        """Let the operator refuse a user whose credentials were verified.

        Returns:
            What to add to the `app_metadata` of the user.

        Raises:
            Refused: The sign-in is refused.
            HookFailed: The function failed.
        """
        caller = caller_of(by)
        return self._ask(
            HookName.BEFORE_SIGN_IN, SignIn(user=snapshot(user), caller=caller, amr=amr)
        )

    def after_sign_in(self, user: User, session: Session) -> None:
        """Report a user who signed in."""

        def build() -> SignIn:
            caller = Caller(user_id=user.id, ip=session.ip, user_agent=session.user_agent)
            return SignIn(user=snapshot(user), caller=caller, amr=tuple(session.methods))

        signals.emit(signals.session_opened, lambda: {"sign_in": build()})
        self._tell(HookName.AFTER_SIGN_IN, build)

    def before_update(
        self, before: User, after: User, changed_fields: tuple[str, ...], by: Actor
    ) -> dict[str, Any]:
        """Let the operator refuse an update.

        Returns:
            What to add to the `app_metadata` of the user.

        Raises:
            Refused: The update is refused.
            HookFailed: The function failed.
        """
        name = HookName.BEFORE_UPDATE
        if not self.asks(name):
            return {}
        return self._ask(name, update_of(before, after, changed_fields, by))

    def after_update(
        self, before: User, after: User, changed_fields: tuple[str, ...], by: Actor
    ) -> None:
        """Report an update."""
        signals.emit(
            signals.user_updated, lambda: {"update": update_of(before, after, changed_fields, by)}
        )
        self._tell(HookName.AFTER_UPDATE, lambda: update_of(before, after, changed_fields, by))

    def after_deletion(self, user: User, by: Actor) -> None:
        """Report a user who was deleted, by the signal only."""
        signals.emit(
            signals.user_deleted,
            lambda: {"deletion": Deletion(user=snapshot(user), caller=caller_of(by))},
        )

    def extended(
        self, name: HookName, user: User, added: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the `app_metadata` of a user with additions.

        Raises:
            HookFailed: They do not follow the rules.
        """
        current: dict[str, Any] | None = user.app_metadata
        new = {**(current or {}), **added}
        if new == (current or {}):
            return current
        try:
            return self._metadata.validate("app_metadata", new)
        except InvalidField as fault:
            raise self._failure(name, f"its app_metadata is not valid: {fault}") from None

    def _ask(self, name: HookName, argument: Any) -> dict[str, Any]:
        call = self._call(name, argument)
        if call is None:
            raise HookFailed
        if call.error and not isinstance(call.error, Refusal):
            raise self._failure(name, "it raised an error", call.error)
        try:
            faults = read_refusal(call.error, REFUSABLE_FIELDS[name]) if call.error else []
            added = {} if faults else read_additions(call.value)
        except HookFault as fault:
            raise self._failure(name, str(fault)) from None
        # Classes of the operator can raise whatever they want when they are read.
        except Exception as error:
            raise self._failure(name, "its result cannot be read", error) from None
        raise_together(faults)
        return added

    def _tell(self, name: HookName, build: Callable[[], Any]) -> None:
        call = self._call(name, build()) if name in self.functions else None
        if call is None:
            return
        if call.error:
            self._failure(name, "it raised an error", call.error)
        elif call.value is not None:
            self._failure(name, f"it returned {kind_of(call.value)}, which has no effect")

    def _call(self, name: HookName, argument: Any) -> Call | None:
        """Return a finished call; None, and a line in the log, if it did not finish in time."""
        try:
            return self._calls.run(self.functions[name], argument)
        except CallTimeout:
            self._failure(name, f"it takes more than {self._calls.seconds:g} s")
        except TooManyAbandoned:
            self._failure(name, "it was not called, since too many earlier calls still run")
        except RuntimeError as error:
            self._failure(name, f"it was not called: {error}")
        return None

    def _failure(
        self, name: HookName, reason: str, error: BaseException | None = None
    ) -> HookFailed:
        """Log a failure, and return the error for the caller, which has no detail of it."""
        exc_info = (type(error), error, error.__traceback__) if error else None
        log.error("hook %s.%s failed: %s", self.module, name, reason, exc_info=exc_info)
        return HookFailed()


NO_HOOKS = Hooks()


@dataclass
class UpdateHooks:
    """The hooks of one update, which may take several attempts: its function is called once.

    Attributes:
        hooks: The functions and signals.
        by: The caller.
    """

    hooks: Hooks
    by: Actor
    _added: dict[str, Any] | None = field(default=None, init=False)

    def before(self, before: User, after: User, changed_fields: tuple[str, ...]) -> None:
        """Ask once whether to make the update, and add to `app_metadata` in each attempt.

        Raises:
            Refused: The update is refused.
            HookFailed: The function failed.
        """
        if self._added is None:
            self._added = self.hooks.before_update(before, after, changed_fields, self.by)
        if self._added:
            after.app_metadata = self.hooks.extended(HookName.BEFORE_UPDATE, after, self._added)

    def after(self, before: User, after: User, changed_fields: tuple[str, ...]) -> None:
        """Report the update."""
        self.hooks.after_update(before, after, changed_fields, self.by)
