"""Pages in both directions, and their bounds."""

import pytest
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, LocalSecondaryIndex


@pytest.fixture
def entry(db, context):
    """A model with entries 0 to 6 of one log, in the reverse order by an index."""

    class ByRank(LocalSecondaryIndex):
        class Meta:
            index_name = "by_rank"
            projection = AllProjection()

        log = UnicodeAttribute(hash_key=True)
        rank = NumberAttribute(range_key=True)

    class Entry(db.Model):
        log = UnicodeAttribute(hash_key=True)
        number = NumberAttribute(range_key=True)
        rank = NumberAttribute()
        by_rank = ByRank()

    db.create_all()
    with Entry.batch_write() as batch:
        for number in range(7):
            batch.save(Entry("a", number, rank=10 - number))
    return Entry


def numbers(page):
    return [item.number for item in page]


class TestPreviousPage:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"scan_index_forward": False},
            {"index_name": "by_rank"},
            {"index_name": "by_rank", "scan_index_forward": False},
        ],
    )
    def test_there_and_back(self, entry, options):
        """The way back has the pages of the way there, each in the order of the list."""
        first = entry.paginate("a", limit=3, **options)
        second = entry.paginate("a", limit=3, cursor=first.next_cursor, **options)
        third = entry.paginate("a", limit=3, cursor=second.next_cursor, **options)
        second_again = entry.paginate("a", limit=3, cursor=third.previous_cursor, **options)
        first_again = entry.paginate("a", limit=3, cursor=second_again.previous_cursor, **options)

        assert numbers(second_again) == numbers(second)
        assert numbers(first_again) == numbers(first)
        assert second_again.next_cursor == second.next_cursor

    def test_ends(self, entry):
        """The first page has no previous one, whichever way it was reached."""
        first = entry.paginate("a", limit=4)
        second = entry.paginate("a", limit=4, cursor=first.next_cursor)
        first_again = entry.paginate("a", limit=4, cursor=second.previous_cursor)

        assert first.previous_cursor is None
        assert first_again.previous_cursor is None
        assert second.next_cursor is None

    def test_items_before_were_deleted(self, entry):
        """A page without items leads to the first page that there is."""
        first = entry.paginate("a", limit=2)
        second = entry.paginate("a", limit=2, cursor=first.next_cursor)
        for item in first:
            item.delete()
        empty = entry.paginate("a", limit=2, cursor=second.previous_cursor)
        now_first = entry.paginate("a", limit=2, cursor=empty.next_cursor)

        assert (numbers(empty), empty.previous_cursor) == ([], None)
        assert (numbers(now_first), now_first.previous_cursor) == ([2, 3], None)

    def test_items_behind_were_deleted(self, entry):
        """A page without items leads back to the last page that there is."""
        first = entry.paginate("a", limit=4)
        for number in (3, 4, 5, 6):
            entry("a", number).delete()
        empty = entry.paginate("a", limit=4, cursor=first.next_cursor)
        now_last = entry.paginate("a", limit=2, cursor=empty.previous_cursor)

        assert (numbers(empty), empty.next_cursor) == ([], None)
        assert numbers(now_last) == [1, 2]

    def test_filter(self, entry):
        """With a filter no match is lost on the way back, and pages have fewer items."""
        options = {"filter_condition": entry.rank.is_in(10, 4), "limit": 2}
        pages = [entry.paginate("a", **options)]
        while cursor := pages[-1].next_cursor:
            pages.append(entry.paginate("a", cursor=cursor, **options))
        back = [pages[-1]]
        while cursor := back[-1].previous_cursor:
            back.append(entry.paginate("a", cursor=cursor, **options))

        assert [number for page in pages for number in numbers(page)] == [0, 6]
        assert [number for page in reversed(back) for number in numbers(page)] == [0, 6]

    def test_binary_key(self, db, context):
        """Cursors can hold any key, also one of bytes."""

        class Blob(db.Model):
            kind = BinaryAttribute(hash_key=True, legacy_encoding=False)
            digest = BinaryAttribute(range_key=True, legacy_encoding=False)

        db.create_all()
        for digest in (b"\x00", b"\x80", b"\xff"):
            Blob(b"\xfe", digest).save()
        first = Blob.paginate(b"\xfe", limit=2)
        second = Blob.paginate(b"\xfe", limit=2, cursor=first.next_cursor)
        first_again = Blob.paginate(b"\xfe", limit=2, cursor=second.previous_cursor)

        assert [item.digest for item in second] == [b"\xff"]
        assert [item.digest for item in first_again] == [b"\x00", b"\x80"]


class TestBound:
    def test_limit_of_a_client(self, entry):
        """A larger limit than `max_per_page` counts as that."""
        page = entry.paginate("a", limit=1000, max_per_page=2)

        assert numbers(page) == [0, 1]

    def test_default(self, entry):
        """A page has at most 100 items unless the app allows more."""
        with entry.batch_write() as batch:
            for number in range(101):
                batch.save(entry("b", number, rank=number))

        assert len(entry.paginate("b", limit=101)) == 100
        assert len(entry.paginate("b", limit=101, max_per_page=200)) == 101

    @pytest.mark.parametrize("bound", [0, "2"])
    def test_wrong_bound(self, entry, bound):
        """A bound that is no positive integer is an error that names it."""
        with pytest.raises(ValueError, match=f"not {bound!r}"):
            entry.paginate("a", max_per_page=bound)
