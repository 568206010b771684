"""One segment of a table, read by a Scan in pages, whose items are migrated in order."""

from collections import deque
from typing import Any

from flask_pynamodb.keys import Key
from flask_pynamodb.migrations.declaration import Migration
from flask_pynamodb.migrations.history import Position
from flask_pynamodb.migrations.item import Item, key_names
from flask_pynamodb.model import scan_is_allowed


class Segment:
    """The items of one segment.

    Args:
        migration: The migration.
        number: The number of the segment, from 0.
        total: The number of segments.
        position: Where it begins.

    Attributes:
        position: Everything before it is migrated.
    """

    def __init__(self, migration: Migration, number: int, total: int, position: Position) -> None:
        self.position = position
        self._migration = migration
        self._part = {"segment": number, "total_segments": total} if total > 1 else {}
        self._items: deque[Item] = deque()
        self._page_end: Key | None = None

    @property
    def is_done(self) -> bool:
        return self.position is True

    def next_item(self, page_size: int) -> Item | None:
        """Return the first item that is not migrated; None if the next page has none.

        Args:
            page_size: The maximum number of items that DynamoDB reads for a page.
        """
        if not self._items:
            self._read_page(page_size)
        return self._items[0] if self._items else None

    def advance(self) -> None:
        """Move the position behind the first item, which is migrated."""
        item = self._items.popleft()
        self.position = {name: item[name] for name in key_names(self._migration.model)}
        if not self._items:
            self._finish_page()

    def _read_page(self, page_size: int) -> None:
        start = None if isinstance(self.position, bool) else self.position
        pages = self._scan(start, page_size).page_iter
        page = next(pages)
        self._page_end = page.get("LastEvaluatedKey")
        self._items.extend(page["Items"])
        if not self._items:
            self._finish_page()

    def _scan(self, start: Key | None, page_size: int) -> Any:
        token = scan_is_allowed.set(True)
        try:
            return self._migration.model.scan(
                self._migration.filter_condition,
                last_evaluated_key=start,
                page_size=page_size,
                # An item that was written just before the run is not missed.
                consistent_read=True,
                **self._part,
            )
        finally:
            scan_is_allowed.reset(token)

    def _finish_page(self) -> None:
        self.position = self._page_end or True
