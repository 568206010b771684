"""Replace secret keys: count the values that each key sealed, and seal them with the current key.

Both read the whole table of second factors, so they are for commands and not for requests. What
is sealed: the secrets of second factors, and the keys of access tokens.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from pynamodb.exceptions import UpdateError

from flask_pynamodb import error_code
from models.db import db
from models.errors import UnreadableSecret
from models.security.totp import DERIVED_KEY, Totp, key_of
from models.services.fixed_signing_keys import SigningKeySource
from models.tables import second_factor
from models.tables.second_factor import SecondFactor

# Rows of one call of `rekey`; about what DynamoDB reads at once.
PAGE = 500
_CONCURRENT_WRITES = 10
_CHANGED = ("ConditionalCheckFailedException", "TransactionConflictException")
_UNKNOWN_FORM = "unknown form"


class KeyState(StrEnum):
    """The use of a key."""

    # Seals and opens.
    CURRENT = "current"
    # Opens the values that it sealed.
    OLDER = "older"
    # Opens values of version 0.6 and earlier.
    LEGACY = "legacy"
    # Not configured: its values are unreadable.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class KeyUse:
    """A key and the number of values that need it.

    Attributes:
        key: Its ID, or its tag in the form of 0.6.
        state: Its use.
        second_factors: The number of second factors that need it.
        signing_keys: The number of keys of access tokens that need it.
    """

    key: str
    state: KeyState
    second_factors: int
    signing_keys: int = 0


@dataclass
class Rekeyed:
    """The outcome of one page, or the sum of several.

    Attributes:
        resealed: How many secrets were sealed again.
        current: How many were sealed with the current key already.
        changed: How many have changed concurrently, and have to be looked at again.
        unreadable: Why a secret could not be opened, for each.
        after: The user ID after which the next page begins, None after the last page.
    """

    resealed: int = 0
    current: int = 0
    changed: int = 0
    unreadable: list[str] = field(default_factory=list)
    after: str | None = None

    def add(self, page: "Rekeyed") -> None:
        """Add the outcome of the next page."""
        self.resealed += page.resealed
        self.current += page.current
        self.changed += page.changed
        self.unreadable += page.unreadable
        self.after = page.after


class KeyRotation:
    """Counts sealed values by key, and seals them again.

    Args:
        totp: Opens and seals the secrets of second factors.
        signing_keys: Opens and seals the keys of access tokens.
    """

    def __init__(self, totp: Totp, signing_keys: SigningKeySource) -> None:
        self.totp = totp
        self.signing_keys = signing_keys

    def status(self) -> list[KeyUse]:
        """Count what is sealed by key: configured keys in their order, then unknown ones."""
        counts = Counter(key_of(row.secret) or _UNKNOWN_FORM for row in second_factor.scan())
        signing = Counter(self.signing_keys.sealed_with())
        states = self._states()
        # Tag 0 is no setting, and of interest only while it is used.
        shown = [key for key in states if counts[key] or key != DERIVED_KEY]
        unknown = sorted((counts + signing).keys() - states.keys())
        return [
            KeyUse(key, states.get(key, KeyState.UNKNOWN), counts[key], signing[key])
            for key in [*shown, *unknown]
        ]

    def rekey(self, after: str | None = None, *, limit: int = PAGE) -> Rekeyed:
        """Seal one page of secrets again with the current key, where another one has sealed them.

        The first page includes the keys of access tokens.

        Each is written on the condition that it has not changed, so that it is safe to interrupt,
        to repeat, and to run while users sign in.

        Args:
            after: The user ID after which the page begins, None for the first page.
            limit: The maximum number of rows.
        """
        rows = list(islice(second_factor.scan(after, page_size=limit), limit))
        page = Rekeyed(after=rows[-1].user_id if len(rows) == limit else None)
        if after is None:
            self._rekey_signing_keys(page)
        resealed: list[tuple[SecondFactor, str]] = []
        for row in rows:
            try:
                value = self.totp.reseal(row.secret, row.user_id)
            except UnreadableSecret as error:
                page.unreadable.append(str(error))
                continue
            if value is None:
                page.current += 1
            else:
                resealed.append((row, value))
        for at in range(0, len(resealed), _CONCURRENT_WRITES):
            batch = resealed[at : at + _CONCURRENT_WRITES]
            stored = db.gather(*(lambda pair=pair: _store(*pair) for pair in batch))
            page.resealed += sum(stored)
            page.changed += len(stored) - sum(stored)
        return page

    def _rekey_signing_keys(self, page: Rekeyed) -> None:
        outcome = self.signing_keys.reseal()
        page.resealed += outcome.resealed
        page.current += outcome.current
        page.changed += outcome.changed
        page.unreadable += outcome.unreadable

    def _states(self) -> dict[str, KeyState]:
        current, *older = self.totp.key_ids
        return {
            current: KeyState.CURRENT,
            **dict.fromkeys(older, KeyState.OLDER),
            **dict.fromkeys(self.totp.legacy_keys, KeyState.LEGACY),
        }


def _store(row: SecondFactor, secret: str) -> bool:
    """Store a secret that was sealed again; return whether the stored one was still the same."""
    try:
        row.update([SecondFactor.secret.set(secret)], SecondFactor.secret == row.secret)
    except UpdateError as error:
        if error_code(error) in _CHANGED:
            return False
        raise
    return True
