"""The authority of a caller: conditions that must hold until a change is committed.

A request is authorized before its change is written. In between, the session can end, the key can
be revoked, the user can be suspended or lose a role. So each transaction by a caller carries these
conditions (ASVS 8.3.2, 15.4.2).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction
from models.db import db
from models.errors import (
    EmailNotVerified,
    RoleRequired,
    SecondFactorEnrollmentRequired,
    TooManyConflicts,
    Unauthenticated,
)
from models.roles import RIGHT_OF, Role, role_required
from models.tables.api_key import ApiKey
from models.tables.client_authority import ClientAuthority, Conditions
from models.tables.session import Session
from models.tables.user import User, has_api_key_epoch

ADMIN_IS_PROTECTED = "Only an admin may change the account of an admin."


@dataclass
class Authority:
    """What a request is based on.

    Attributes:
        user: The caller, as read when the request was authenticated, or verified again.
        credential: The session or API key that authenticated the caller.
        role: The role whose rights over other accounts the request uses, None if it uses none.
        non_admins: The IDs of users whose change requires that they are no admins.
        requires_second_factor: Whether the rights of a role require a second factor.
        requires_verified_email: Whether the request requires a verified address.
    """

    user: User
    credential: Session | ApiKey
    role: Role | None = None
    non_admins: Collection[str] = ()
    requires_second_factor: bool = False
    requires_verified_email: bool = False

    @property
    def amr(self) -> list[str]:
        """The factors of the session; none for an API key."""
        return self.credential.methods if isinstance(self.credential, Session) else []

    @property
    def conditions(self) -> Conditions:
        """The conditions on the items of the caller."""
        found: Conditions = {
            self.credential_key: self.credential_condition,
            (User, self.user.id): self.user_condition,
        }
        for user_id in self.non_admins:
            is_no_admin = ~User.roles.contains(Role.ADMIN)
            own = found.get((User, user_id))
            found[User, user_id] = is_no_admin if own is None else own & is_no_admin
        return found

    def require_may_change(self, user: User) -> None:
        """Reject a change of an admin by a caller who may not change admins.

        Raises:
            RoleRequired: The user is an admin.
        """
        if user.id in self.non_admins and user.is_admin:
            raise RoleRequired(ADMIN_IS_PROTECTED)

    @property
    def user_condition(self) -> Condition:
        """The condition on the item of the caller."""
        condition: Condition = User.inactive_key.does_not_exist() & User.id.exists()
        if isinstance(self.credential, Session):
            condition &= User.session_epoch == self.user.session_epoch
        else:
            condition &= has_api_key_epoch(self.credential.owner_epoch)
        if self.role:
            condition &= User.roles.contains(self.role)
        if self.role and self.requires_second_factor:
            condition &= User.has_second_factor == True  # noqa: E712 - a condition of DynamoDB's
        if self.requires_verified_email:
            condition &= User.email_verified == True  # noqa: E712 - a condition of DynamoDB's
        return condition

    @property
    def credential_condition(self) -> Condition:
        """The condition on the item of the session or the key."""
        if isinstance(self.credential, Session):
            return Session.token_digest.exists()
        return ApiKey.key_digest.exists()

    @property
    def credential_key(self) -> tuple[Any, ...]:
        """The model and the key of the session or the API key."""
        if isinstance(self.credential, Session):
            return (Session, self.credential.user_id, self.credential.token_digest)
        return (ApiKey, self.credential.user_id, self.credential.key_digest)

    def verify(self) -> None:
        """Read the caller again.

        Raises:
            Unauthenticated: The session or key no longer authenticates the caller.
            RoleRequired: The caller no longer has the role, or a user has become an admin.
            SecondFactorEnrollmentRequired: The caller no longer has the required second factor.
            EmailNotVerified: The address of the caller is no longer verified.
        """
        credential, user = db.get_many(self.credential_key, (User, self.user.id))
        if credential is None or user is None or not credential.is_active_for(user):
            raise Unauthenticated
        if self.role and self.role not in user.roles:
            raise role_required(RIGHT_OF[self.role])
        if self.role and self.requires_second_factor and not user.has_second_factor:
            raise SecondFactorEnrollmentRequired
        if self.requires_verified_email and not user.email_verified:
            raise EmailNotVerified
        if self.non_admins:
            others = db.get_many(*((User, user_id) for user_id in self.non_admins))
            for other in filter(None, others):
                self.require_may_change(other)
        # After a new password the session that set it has another epoch.
        self.user = user


AnyAuthority = Authority | ClientAuthority


class AuthorizedTransaction(Transaction):
    """A transaction that is applied only while its caller's authority holds.

    The conditions on the caller's items are added to the writes of the same items, since a
    transaction has at most one operation for each item, or else as condition checks.
    """

    def __init__(self, authority: AnyAuthority, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.authority = authority
        # The conditions that are not in the transaction yet.
        self._missing = dict(authority.conditions)
        # For each operation, whether it has a condition on the authority.
        self._bears_authority: dict[str, list[bool]] = {kind: [] for kind in self._otherwise}

    def condition_check(
        self,
        model_cls: type[Any],
        hash_key: Any,
        range_key: Any = None,
        condition: Condition | None = None,
        *,
        otherwise: Exception | None = None,
    ) -> None:
        """Add a condition on an item that is not written."""
        condition = self._add_authority("check", (model_cls, hash_key, range_key), condition)
        super().condition_check(model_cls, hash_key, range_key, condition, otherwise=otherwise)

    def delete(self, model: Any, condition: Condition | None = None, **options: Any) -> None:
        """Add the deletion of an item."""
        super().delete(model, self._add_authority("delete", _key_of(model), condition), **options)

    def save(
        self,
        model: Any,
        condition: Condition | None = None,
        return_values: str | None = None,
        *,
        otherwise: Exception | None = None,
    ) -> None:
        """Add a put of a complete item."""
        condition = self._add_authority("save", _key_of(model), condition)
        super().save(model, condition, return_values, otherwise=otherwise)

    def update(
        self,
        model: Any,
        actions: list[Any],
        condition: Condition | None = None,
        return_values: str | None = None,
        **options: Any,
    ) -> None:
        """Add an update of some attributes of an item."""
        condition = self._add_authority("update", _key_of(model), condition)
        super().update(model, actions, condition, return_values, **options)

    def _commit(self) -> Any:
        for model, *key in list(self._missing):
            self.condition_check(model, *key, otherwise=TooManyConflicts())
        return super()._commit()

    def _add_authority(
        self, kind: str, key: tuple[Any, ...], condition: Condition | None
    ) -> Condition | None:
        """Return a condition, and that on the authority if the item is one of the caller's."""
        model, *rest = key
        added = self._missing.pop((model, *filter(None, rest)), None)
        self._bears_authority[kind].append(added is not None)
        if added is None:
            return condition
        return added if condition is None else condition & added

    def _raise_otherwise(self, error: TransactWriteError) -> None:
        bearers = [one for kind in self._bears_authority.values() for one in kind]
        if any(
            reason is not None and reason.code == "ConditionalCheckFailed" and bears_authority
            for reason, bears_authority in zip(error.cancellation_reasons, bearers, strict=False)
        ):
            # The condition of the operation itself may have failed: only reading can tell.
            self.authority.verify()
        super()._raise_otherwise(error)


def _key_of(model: Any) -> tuple[Any, ...]:
    """Return the model and the key of an item."""
    names = (model._hash_keyname, model._range_keyname)
    return (type(model), *(getattr(model, name) for name in names if name))
