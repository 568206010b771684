"""Find a user by what an admin types."""

from api.services import accounts
from models import User, is_user_id
from models.errors import UserNotFound


def find_typed_user(text: str) -> User | None:
    """Return the user with exactly this username, email address or ID."""
    if not is_user_id(text.lower()):
        return accounts.find(text)
    try:
        return accounts.get(text.lower())
    except UserNotFound:
        return None
