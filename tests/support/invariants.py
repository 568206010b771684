"""What has to be true of everything that is stored, whatever has happened to the service."""

from models.tables.counter import Counter
from models.tables.identifier import Identifier, email_key, username_key
from models.tables.user import User


def audited_users() -> list[User]:
    """All users, after a look at the books.

    Each has exactly its two claims, nobody else has any, and the active admins are counted.
    """
    users: list[User] = list(User.scan(consistent_read=True))
    claims = {claim.value: claim.owner for claim in Identifier.scan(consistent_read=True)}
    counted = sum(row.value for row in Counter.scan(consistent_read=True))

    assert claims == {
        claim: user.id
        for user in users
        for claim in (username_key(user.username), email_key(user.email))
    }
    assert counted == len([user for user in users if user.is_active_admin])
    return users
