"""Known devices: a secret from an earlier sign-in, with login attempts of its own.

Failed attempts of others lock an account. The client that presents the secret of a known device is
not among them: its attempts are counted on the device (OWASP, "Device cookies"). The secret gives
no access: a sign-in still requires the password and the second factor.
"""

import string
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction
from models.clock import TimestampAttribute, now
from models.db import Table
from models.errors import VersionMismatch
from models.security import tokens
from models.tables.login_attempts import AttemptCounter, reset_actions
from models.tables.user import User

MAX_DEVICES = 20
_PREFIX = "rdv_"
# The last character of a token is the slot of its row.
_SLOTS = string.ascii_lowercase[:MAX_DEVICES]
# How long a device is known without a sign-in.
LIFETIME = timedelta(days=180)


class Device(AttemptCounter, Table):
    """One device of one user.

    A user has a fixed number of slots; a new device takes the slot of the oldest one. So their
    number is bounded without counting rows. `device_epoch` is the user's at issue: raising that of
    the user voids every device.
    """

    class Meta:
        table_name = "devices"

    user_id = UnicodeAttribute(hash_key=True)
    slot = UnicodeAttribute(range_key=True)
    token_digest = UnicodeAttribute()
    device_epoch = NumberAttribute()
    created_at = TimestampAttribute()
    remove_at = TTLAttribute()

    @classmethod
    def new(cls, user: User) -> tuple[Self, str]:
        """Return an unsaved device of the user as read, and its token, which is not stored."""
        slot = _SLOTS[int(user.devices_issued or 0) % MAX_DEVICES]
        token = tokens.make(_PREFIX, user.id) + slot
        created_at = now()
        device = cls(
            user_id=user.id,
            slot=slot,
            token_digest=tokens.digest(token),
            device_epoch=user.device_epoch or 0,
            created_at=created_at,
            remove_at=created_at + LIFETIME,
        )
        return device, token

    def is_known_to(self, user: User, token: str) -> bool:
        """Return whether a token is that of this device, and the device one of this user."""
        return (
            self.user_id == user.id
            and self.token_digest == tokens.digest(token)
            and self.device_epoch == (user.device_epoch or 0)
            and bool(now() < self.remove_at)
        )

    @property
    def is_stored(self) -> Condition:
        """The condition that no other device has taken the slot."""
        condition: Condition = Device.token_digest == self.token_digest
        return condition

    def succeed(self, transaction: Transaction) -> None:
        """Reset the failed attempts, in the transaction of a sign-in.

        It fails with VersionMismatch if another device has taken the slot.
        """
        transaction.update(
            self,
            [*reset_actions(Device), Device.remove_at.set(now() + LIFETIME)],
            self.is_stored,
            otherwise=VersionMismatch(),
        )

    def __repr__(self) -> str:
        return f"<Device {self.slot} of {self.user_id}>"


def keys_of(token: str | None) -> tuple[Any, ...]:
    """Return the keys of a token's device and of its user, to read; none if it is no token."""
    user_id = tokens.user_id_of(_PREFIX, token[:-1]) if token else None
    if token is None or user_id is None or token[-1] not in _SLOTS:
        return ()
    return ((Device, user_id, token[-1]), (User, user_id))


def pick(found: Sequence[Any], user_id: str, token: str | None) -> tuple[Device, User] | None:
    """Return the known device of a token, and its user, if it is this user.

    Args:
        found: The items of `keys_of(token)`, None for each that does not exist.
        user_id: The user.
        token: The token.
    """
    if token is None or len(found) != 2 or None in found:
        return None
    device, user = found
    return (device, user) if user.id == user_id and device.is_known_to(user, token) else None


def remove_rows(user_id: str) -> None:
    """Delete every device of a user."""
    with Device.batch_write() as batch:
        for row in Device.query(user_id, consistent_read=True):
            batch.delete(row)
