"""Search for users by the beginning of their names and addresses."""

from flask_pynamodb import Transaction
from models.errors import InvalidField
from models.folding import fold
from models.tables.search_term import MIN_LENGTH, add_rows, first_row_key, is_indexed
from models.tables.user import User
from models.tables.user_listing import UserFilter
from models.tables.user_search import find_page

_OFF = (
    "The search is off in this service (ROSTER_SEARCH). Leave this out, or use `username`, `email`"
    " or `external_id`, which find exact matches."
)
_TOO_SHORT = f"It must have at least {MIN_LENGTH} characters, without accents and hidden ones."


class UserSearch:
    """The search for users.

    Args:
        is_on: Whether users are found, and new ones get rows in the index.
    """

    def __init__(self, *, is_on: bool = True) -> None:
        self.is_on = is_on

    def normalize(self, text: str) -> str:
        """Return a text as it is compared: without case and accents.

        Raises:
            InvalidField: It is too short, or the search is off.
        """
        if not self.is_on:
            raise InvalidField("q", _OFF)
        folded = fold(text)
        if len(folded) < MIN_LENGTH:
            raise InvalidField("q", _TOO_SHORT)
        return folded

    def find(
        self, text: str, chosen: UserFilter, *, after: str | None = None, limit: int = 25
    ) -> tuple[list[User], str | None]:
        """Return a page of users; see `models.tables.user_search`.

        Raises:
            InvalidField: The text is too short, or the search is off.
        """
        return find_page(self.normalize(text), chosen, after=after, limit=limit)

    def finds(self, text: str, user: User) -> bool:
        """Return whether a user is found by a text.

        Raises:
            InvalidField: The text is too short, or the search is off.
        """
        return first_row_key(user, self.normalize(text)) is not None

    def is_current(self, user: User) -> bool:
        """Return whether a stored user has the rows of its present version, or none if off."""
        return is_indexed(user) if self.is_on else user.indexed_version is None

    def add(self, transaction: Transaction, user: User) -> None:
        """Add the rows of a new user, unless the search is off."""
        if self.is_on:
            add_rows(transaction, user)
