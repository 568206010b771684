"""Invitations of tests that send no emails."""

from datetime import timedelta
from typing import Any

from models import Invitation
from models.tables.identifier import Identifier, invitation_key


def create_invitation(email: str, **fields: Any) -> Invitation:
    """Store an invitation that was emailed before; needs an app context."""
    given = {
        "roles": ["user"],
        "app_metadata": None,
        "external_id": None,
        "locale": None,
        "invited_by": None,
        "lifetime": timedelta(days=7),
    }
    row, _ = Invitation.new(email, **{**given, **fields})
    row.save()
    key = invitation_key(email)
    Identifier(value=key, owner=row.id, held_until=row.expires_at).save()
    return row
