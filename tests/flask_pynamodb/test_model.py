"""What `db.Model` adds to PynamoDB's."""

import importlib
from unittest import mock

import pytest
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
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


class TestReload:
    def test_module(self, tmp_path, monkeypatch):
        """After a reload of their module the models are those of the new one."""
        (tmp_path / "reloaded_models.py").write_text(
            "from pynamodb.attributes import UnicodeAttribute\n"
            "from flask_pynamodb import PynamoDB\n"
            "db = globals().get('db') or PynamoDB()\n"
            "class Todo(db.Model):\n"
            "    id = UnicodeAttribute(hash_key=True)\n"
            "class Note(db.Model):\n"
            "    id = UnicodeAttribute(hash_key=True)\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        module = importlib.import_module("reloaded_models")
        before = module.Todo
        importlib.reload(module)

        assert module.Todo is not before
        assert module.db.models == [module.Todo, module.Note]

    def test_same_name(self, db):
        """Models with the same name and different tables are different models."""
        models = [
            type("Dated", (db.Model,), {"id": UnicodeAttribute(hash_key=True), "Meta": meta})
            for meta in (type("Meta", (), {"table_name": f"day-{day}"}) for day in range(2))
        ]

        assert db.models == models


class TestMockedCall:
    def test_without_a_response(self, db, context):
        """A test may mock the call to return nothing, as with PynamoDB."""
        connection = db.connection
        with mock.patch.object(connection, "_make_api_call", return_value=None):
            assert connection.dispatch("GetItem", {"TableName": "t"}) is None


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


LONG = "x" * 2049


class TestKeysThatNoItemCanHave:
    """A client chose the key: there is no such item, and nothing is wrong with the service."""

    @pytest.fixture
    def numbered(self, db, context):
        class Numbered(db.Model):
            number = NumberAttribute(hash_key=True)

        db.create_all()
        Numbered(5).save()
        return Numbered

    @pytest.mark.parametrize(
        "key",
        [
            ("", "subject 1"),
            (LONG, "subject 1"),
            ("\u20ac" * 683, "subject 1"),
            ("\ud800", "subject 1"),
            ("python", ""),
            ("python", "x" * 1025),
        ],
        ids=["empty", "long", "long in bytes", "surrogate", "empty range", "long range"],
    )
    def test_get(self, thread, key):
        """Such a key ends the request with 404."""
        with pytest.raises(NotFound):
            thread.get_or_404(*key)
        with pytest.raises(NotFound):
            thread.get_or_404(hash_key=key[0], range_key=key[1])

    @pytest.mark.parametrize("hash_key", ["", LONG, "\ud800"])
    @pytest.mark.parametrize("options", [{}, {"index_name": "by_views"}])
    def test_query(self, thread, hash_key, options):
        """So does a query for such a key, of the table or of an index."""
        with pytest.raises(NotFound):
            thread.first_or_404(hash_key, **options)
        with pytest.raises(NotFound):
            thread.query_one_or_404(hash_key=hash_key, **options)

    @pytest.mark.parametrize(
        "number", ["five", float("nan"), float("inf"), 10**126, 1e-131, 10**39 + 1], ids=str
    )
    def test_number(self, numbered, number):
        """A number that DynamoDB cannot store is the key of no item."""
        with pytest.raises(NotFound):
            numbered.get_or_404(number)

    @pytest.mark.parametrize("number", [0, -0.0, 1e-130, 9.9e125, 10**37 + 1], ids=str)
    def test_possible_number(self, numbered, number):
        """A number that it can store is looked up, and is not there."""
        with pytest.raises(NotFound):
            numbered.get_or_404(number)
        numbered(number).save()

        assert numbered.get_or_404(number)

    def test_longest(self, thread):
        """Keys of the greatest length are found."""
        hash_key, range_key = "x" * 2048, "y" * 1024
        thread(hash_key, range_key).save()

        assert thread.get_or_404(hash_key, range_key)
        assert thread.first_or_404(hash_key)

    def test_binary(self, db, context):
        """The same for binary keys."""

        class Blob(db.Model):
            id = BinaryAttribute(hash_key=True, legacy_encoding=False)

        db.create_all()
        Blob(b"1").save()

        assert Blob.get_or_404(b"1")
        with pytest.raises(NotFound):
            Blob.get_or_404(b"")

    def test_mistake_of_the_program(self, thread):
        """A call without a key is an error of the program, as in PynamoDB."""
        with pytest.raises(TypeError):
            thread.get_or_404()


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

    @pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 7), (6, [6, 1]), (7, [7]), (8, [7])])
    @pytest.mark.parametrize("options", [{}, {"index_name": "by_views"}])
    def test_end(self, thread, limit, sizes, options):
        """The last page with items has no cursor, also when it is full."""
        found, cursor = [], None
        for _ in sizes:
            page = thread.paginate("python", limit=limit, cursor=cursor, **options)
            found.append(len(page))
            cursor = page.next_cursor

        assert found == sizes
        assert cursor is None

    def test_page_as_a_list(self, thread):
        """A page can be iterated and has a length."""
        page = thread.paginate("python", limit=2)

        assert [item.subject for item in page] == ["subject 0", "subject 1"]
        assert len(page) == 2

    def test_empty_list(self, thread):
        """A list without items is one page without a cursor."""
        page = thread.paginate("perl")

        assert (list(page), page.next_cursor) == ([], None)

    @pytest.mark.parametrize("limit", [0, -1, "3", 2.5, None, True])
    def test_limit(self, thread, limit):
        """A limit that is no positive integer is an error that names it."""
        with pytest.raises(ValueError, match=f"not {limit!r}"):
            thread.paginate("python", limit=limit)

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
