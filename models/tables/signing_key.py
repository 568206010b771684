"""Keys that sign access tokens: one sealed key pair for each number of a ring."""

import re
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from models.clock import TimestampAttribute
from models.db import Table

# The only ring: other kinds of tokens would have one of their own.
ACCESS_TOKENS = "access-token"
_SEQ_DIGITS = 10
_SEQ = re.compile(rf"[0-9]{{{_SEQ_DIGITS}}}")


class SigningKey(Table):
    """One key pair. Its times never change; `revoked_at` is set once."""

    class Meta:
        table_name = "signing_keys"

    ring = UnicodeAttribute(hash_key=True)
    # A number with leading zeros.
    seq = UnicodeAttribute(range_key=True)
    kid = UnicodeAttribute()
    alg = UnicodeAttribute()
    # The private key, bound to all other fields but `revoked_at`. The public key follows from it:
    # one that stood beside it could be replaced by a writer of the table.
    sealed = UnicodeAttribute()
    created_at = TimestampAttribute()
    signs_from = TimestampAttribute()
    revoked_at = TimestampAttribute(null=True)

    @property
    def is_complete(self) -> bool:
        """Whether the row has all fields that this service writes."""
        values = (self.kid, self.alg, self.sealed, self.created_at, self.signs_from)
        return all(value is not None for value in values)

    @property
    def number(self) -> int:
        """The number of the key."""
        return int(self.seq)

    @property
    def owner(self) -> str:
        """What the sealed key is bound to."""
        times = (round(time.timestamp() * 1000) for time in (self.created_at, self.signs_from))
        return "/".join([self.ring, self.seq, self.kid, self.alg, *map(str, times)])

    def __repr__(self) -> str:
        return f"<SigningKey {self.kid}>"


def seq_of(number: int) -> str:
    """Return the sort key of a number."""
    return f"{number:0{_SEQ_DIGITS}d}"


def keys_in(ring: str) -> list[SigningKey]:
    """Return the keys of a ring, the oldest first; strongly consistent.

    A row that this service cannot have written is returned without its fields.
    """
    pages: Any = SigningKey.query(ring, consistent_read=True).page_iter
    rows = [_row_of(ring, item) for page in pages for item in page["Items"]]
    return [row for row in rows if _SEQ.fullmatch(row.seq)]


def _row_of(ring: str, item: dict[str, Any]) -> SigningKey:
    try:
        row: SigningKey = SigningKey.from_raw_data(item)
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
        # A value of another type or out of bounds must not stop all tokens.
        return SigningKey(ring, item["seq"]["S"])
    return row
