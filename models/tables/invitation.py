"""Invitations: emailed to an address that no user has yet, and accepted with the emailed token."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pynamodb.attributes import ListAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from uuid_utils import uuid7

from models.clock import TimestampAttribute, now
from models.db import Table
from models.errors import InvalidInvitation
from models.security import tokens
from models.tables.user import MetadataAttribute

INVITATION_PREFIX = "roi_"
# How long an expired invitation stays in the list, where it can be sent again.
KEPT_AFTER_EXPIRY = timedelta(days=30)
# All invitations are in one partition of the index, which accepts 1,000 writes per second: admins
# write far fewer.
_ALL = "all"


class _ByCreation(GlobalSecondaryIndex[Any]):
    """All invitations, newest first: the ID begins with the time of creation."""

    class Meta:
        index_name = "by_created"
        projection = AllProjection()

    partition = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class Invitation(Table):
    """One pending or expired invitation; accepting or revoking it removes it.

    Its token has the ID of the invitation, and only a digest of it is stored. Sending it again
    replaces the digest, so that the older token is void. `version` counts the emails.
    """

    class Meta:
        table_name = "invitations"

    by_creation = _ByCreation()

    id = UnicodeAttribute(hash_key=True)
    partition = UnicodeAttribute(default=_ALL)
    email = UnicodeAttribute()
    roles: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    app_metadata = MetadataAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    locale = UnicodeAttribute(null=True)
    token_digest = UnicodeAttribute()
    # The user whose right to invite must hold until the invitation is accepted: the one who sent
    # the last email. Null for the operator, at the command line.
    invited_by = UnicodeAttribute(null=True)
    version = NumberAttribute(default=1)
    created_at = TimestampAttribute()
    sent_at = TimestampAttribute()
    expires_at = TimestampAttribute()
    remove_at = TTLAttribute()

    @classmethod
    def new(
        cls,
        email: str,
        *,
        roles: Sequence[str],
        app_metadata: Mapping[str, Any] | None,
        external_id: str | None,
        locale: str | None,
        invited_by: str | None,
        lifetime: timedelta,
    ) -> tuple[Self, str]:
        """Return an unsaved invitation with a new ID, and the token to send."""
        id = uuid7()
        created_at = datetime.fromtimestamp(id.timestamp / 1000, UTC)
        row = cls(
            id=str(id),
            email=email,
            roles=list(roles),
            app_metadata=dict(app_metadata) if app_metadata else None,
            external_id=external_id,
            locale=locale,
            version=0,
            created_at=created_at,
        )
        return row, row.renew(invited_by, lifetime)

    def renew(self, invited_by: str | None, lifetime: timedelta) -> str:
        """Replace the token, and return the new one to send; the row is not saved yet.

        Args:
            invited_by: The sender.
            lifetime: How long the new token is valid.
        """
        token = tokens.make(INVITATION_PREFIX, self.id)
        self.token_digest = tokens.digest(token)
        self.invited_by = invited_by
        self.version += 1
        self.sent_at = now()
        self.expires_at = self.sent_at + lifetime
        self.remove_at = self.expires_at + KEPT_AFTER_EXPIRY
        return token

    @property
    def is_expired(self) -> bool:
        """Whether its token is no longer valid."""
        return bool(self.expires_at <= now())

    @property
    def status(self) -> str:
        """`pending` or `expired`."""
        return "expired" if self.is_expired else "pending"

    @property
    def app_metadata_object(self) -> dict[str, Any]:
        """`app_metadata`, an empty object where there are none."""
        return self.app_metadata or {}

    def is_unmodified(self) -> Condition:
        """Return the condition that it exists and was not sent again since it was read."""
        condition: Condition = Invitation.token_digest == self.token_digest
        return condition

    def __repr__(self) -> str:
        return f"<Invitation {self.id}>"


def find_invitation(id: str) -> Invitation | None:
    """Return the invitation with this ID, if there is one; strongly consistent."""
    try:
        return Invitation.get(id, consistent_read=True)
    except Invitation.DoesNotExist:
        return None


def get_by_token(token: str) -> Invitation:
    """Return the invitation that a token accepts.

    Raises:
        InvalidInvitation: There is none, or it is expired, or was sent again with another token.
    """
    id = tokens.user_id_of(INVITATION_PREFIX, token)
    found = find_invitation(id) if id else None
    if not found or found.is_expired or found.token_digest != tokens.digest(token):
        raise InvalidInvitation
    return found


def list_invitations(after: str | None, limit: int) -> tuple[list[Invitation], str | None]:
    """Return a page of invitations, newest first; one appears in it after about a second.

    Args:
        after: The ID after which the page starts, None for the first page.
        limit: The maximum number of invitations.

    Returns:
        The invitations, and the ID to continue after, None at the end of the list.
    """
    # One more than the page shows whether another page follows, without another call.
    page = next(
        Invitation.by_creation.query(
            _ALL,
            Invitation.id < after if after else None,
            scan_index_forward=False,
            page_size=limit + 1,
        ).page_iter
    )
    found = [Invitation.from_raw_data(item) for item in page["Items"]]
    has_more = len(found) > limit or "LastEvaluatedKey" in page
    return found[:limit], str(found[:limit][-1].id) if found and has_more else None
