"""What `db.Model` adds to PynamoDB's."""

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from werkzeug.exceptions import NotFound

from flask_pynamodb import InvalidCursor, PynamoDB


class TestMeta:
    @pytest.mark.parametrize(
        ("name", "table"),
        [
            ("Todo", "todo"),
            ("ForumThread", "forum_thread"),
            ("HTTPLog", "http_log"),
            ("A1b", "a1b"),
        ],
    )
    def test_without_meta(self, db, name, table):
        """The table is named after the class."""
        model = type(db.Model)(name, (db.Model,), {"id": UnicodeAttribute(hash_key=True)})

        assert model.Meta.table_name == table

    def test_prefix(self, db, context, settings):
        """Inside an app context the name has the app's prefix."""

        class Todo(db.Model):
            id = UnicodeAttribute(hash_key=True)

        assert Todo.Meta.table_name == settings["DYNAMODB_TABLE_PREFIX"] + "todo"

    def test_own_settings_win(self, db, context):
        """A value in the model's own Meta wins over the app's, for this model only."""

        class Far(db.Model):
            class Meta:
                region = "ap-south-1"
                read_timeout_seconds = 1.5

            id = UnicodeAttribute(hash_key=True)

        class Near(db.Model):
            id = UnicodeAttribute(hash_key=True)

        assert Far._get_connection().connection.region == "ap-south-1"
        assert Far._get_connection().connection.client.meta.config.read_timeout == 1.5
        assert Near._get_connection().connection is db.connection

    def test_inherited_meta(self, db):
        """A Meta that derives from another model's keeps its settings and its table."""

        class Base(db.Model):
            class Meta:
                table_name = "things"
                region = "ap-south-1"

            id = UnicodeAttribute(hash_key=True)

        class Derived(Base):
            class Meta(Base.Meta):
                read_timeout_seconds = 1

        assert Derived.Meta.table_name == "things"
        assert Derived.Meta.chosen["region"] == "ap-south-1"
        assert "host" not in Derived.Meta.chosen

    def test_unbound(self, db, context):
        """A model of `PynamoDB.Model` lives in whichever app is current."""

        class Free(PynamoDB.Model):
            class Meta:
                table_name = "free"

            id = UnicodeAttribute(hash_key=True)

        Free.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        Free("1").save()

        assert Free.get("1").id == "1"
        assert Free._get_connection().connection is db.connection


@pytest.fixture
def thread(db, context):
    class ByViews(GlobalSecondaryIndex):
        class Meta:
            index_name = "by_views"
            projection = AllProjection()

        forum = UnicodeAttribute(hash_key=True)
        views = NumberAttribute(range_key=True)

    class Thread(db.Model):
        by_views = ByViews()
        forum = UnicodeAttribute(hash_key=True)
        subject = UnicodeAttribute(range_key=True)
        views = NumberAttribute(default=0)

    db.create_all()
    for n in range(7):
        Thread("python", f"subject {n}", views=100 - n).save()
    return Thread


class TestOr404:
    def test_present(self, thread):
        """An existing item is returned."""
        assert thread.get_or_404("python", "subject 1").views == 99
        assert thread.first_or_404("python").subject == "subject 0"

    def test_absent(self, thread):
        """What is absent ends the request with 404."""
        with pytest.raises(NotFound):
            thread.get_or_404("python", "no such subject")
        with pytest.raises(NotFound):
            thread.first_or_404("perl")


class TestQueryOneOr404:
    def test_one(self, thread):
        """The only item of a query is returned."""
        item = thread.query_one_or_404("python", thread.subject == "subject 3")

        assert item.views == 97

    @pytest.mark.parametrize("forum", ["python", "perl"])
    def test_several_or_none(self, thread, forum):
        """Several items are as wrong as none, and the description is the caller's."""
        with pytest.raises(NotFound, match="No such thread"):
            thread.query_one_or_404(forum, description="No such thread.")


class TestPaginate:
    def all_pages(self, thread, **options):
        items, cursor = [], None
        while True:
            page = thread.paginate("python", limit=3, cursor=cursor, **options)
            items += page.items
            cursor = page.next_cursor
            if cursor is None:
                return [item.subject for item in items]

    def test_walk(self, thread):
        """The pages together hold every item once, in order."""
        assert self.all_pages(thread) == [f"subject {n}" for n in range(7)]

    def test_descending_on_an_index(self, thread):
        """Direction and index are the caller's choice."""
        subjects = self.all_pages(thread, index_name="by_views", scan_index_forward=False)

        assert subjects == [f"subject {n}" for n in range(7)]

    def test_filtered(self, thread):
        """With a filter pages have fewer items, and the cursor still continues the list."""
        subjects = self.all_pages(thread, filter_condition=thread.views == 94)

        assert subjects == ["subject 6"]

    @pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: "x", lambda c: "x" * 9000])
    def test_forged_cursor(self, thread, damage):
        """A cursor that was changed is refused."""
        cursor = thread.paginate("python", limit=3).next_cursor

        with pytest.raises(InvalidCursor):
            thread.paginate("python", limit=3, cursor=damage(cursor))

    @pytest.mark.parametrize(
        "elsewhere",
        [
            {"hash_key": "perl"},
            {"index_name": "by_views"},
            {"scan_index_forward": False},
        ],
    )
    def test_foreign_cursor(self, thread, elsewhere):
        """A cursor of another partition, index or direction is refused."""
        cursor = thread.paginate("python", limit=3).next_cursor

        with pytest.raises(InvalidCursor):
            thread.paginate(**{"hash_key": "python", "limit": 3, "cursor": cursor, **elsewhere})

    def test_cursor_of_another_filter(self, thread):
        """A cursor of another filter is refused, the filter's values included."""
        first = thread.paginate("python", filter_condition=thread.views < 99, limit=3)

        with pytest.raises(InvalidCursor):
            thread.paginate(
                "python", filter_condition=thread.views < 50, limit=3, cursor=first.next_cursor
            )

    def test_secret_is_replaced(self, thread, app):
        """A cursor of an older key is valid while that key is in SECRET_KEY_FALLBACKS."""
        cursor = thread.paginate("python", limit=3).next_cursor
        app.config.update(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["only for tests"])
        newer = thread.paginate("python", limit=3).next_cursor

        assert thread.paginate("python", limit=3, cursor=cursor).items
        app.config.update(SECRET_KEY_FALLBACKS=None)
        assert newer != cursor
        assert thread.paginate("python", limit=3, cursor=newer).items
        with pytest.raises(InvalidCursor):
            thread.paginate("python", limit=3, cursor=cursor)

    def test_no_secret(self, thread, app):
        """Without a secret key there is nothing to sign with, and that is said."""
        app.secret_key = None

        with pytest.raises(RuntimeError, match="SECRET_KEY"):
            thread.paginate("python", limit=3)
