"""How public projects use PynamoDB in Flask: a secret store, a generic resource, a blog.

Only the patterns are theirs: base classes, shared tables, own attributes, generic views, commands.
test_drop_in.py has those of Flask-PynamoDB's own example.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import request, session
from flask_restx import Api, Resource
from pynamodb.attributes import (
    Attribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.constants import STRING_SET
from pynamodb.exceptions import DoesNotExist
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex


class NamesAttribute(Attribute[frozenset[str]]):
    """A set that may be empty, which DynamoDB's cannot be: it is stored as a placeholder."""

    attr_type = STRING_SET
    null = True

    def serialize(self, value: frozenset[str]) -> list[str]:
        return sorted(value) or ["-"]

    def deserialize(self, value: list[str]) -> frozenset[str]:
        return frozenset(value) - {"-"}


class TestSecretStore:
    """Kinds of items in one table under one index, with an archive in another table."""

    @pytest.fixture
    def models(self, db, context):
        class ByKind(GlobalSecondaryIndex):
            class Meta:
                index_name = "by_kind"
                projection = AllProjection()

            kind = UnicodeAttribute(hash_key=True)
            modified_at = UTCDateTimeAttribute(range_key=True)

        class Base(db.Model):
            __abstract__ = True

            class Meta:
                table_name = "secrets"

            id = UnicodeAttribute(hash_key=True)
            kind = UnicodeAttribute()
            modified_at = UTCDateTimeAttribute()
            by_kind = ByKind()

        class Credential(Base):
            class Meta(Base.Meta):
                pass

            kind = UnicodeAttribute(default="credential")
            pairs = JSONAttribute()
            tags = NamesAttribute(default=frozenset)
            revision = NumberAttribute(default=1)

        class Service(Base):
            class Meta(Base.Meta):
                pass

            kind = UnicodeAttribute(default="service")
            credentials = NamesAttribute(default=frozenset)

        class Archived(Credential):
            class Meta(Base.Meta):
                table_name = "archive"

        db.create_all()
        return Credential, Service, Archived

    def test_shared_table(self, models):
        """Each kind is listed by the index, the latest one first, with its own attributes."""
        credential, service, _ = models
        for day in (1, 2):
            at = datetime(2026, 1, day, tzinfo=UTC)
            credential(f"c{day}", modified_at=at, pairs={"password": str(day)}).save()
            service(f"s{day}", modified_at=at, credentials=frozenset({f"c{day}"})).save()

        found = list(credential.by_kind.query("credential", scan_index_forward=False))
        services = list(service.by_kind.query("service", scan_index_forward=False, limit=1))

        assert [(each.id, each.pairs) for each in found] == [
            ("c2", {"password": "2"}),
            ("c1", {"password": "1"}),
        ]
        assert [(each.id, each.credentials) for each in services] == [("s2", {"c2"})]

    def test_own_attribute(self, models):
        """An attribute of the application's own converts its values both ways."""
        credential, _, _ = models
        at = datetime(2026, 1, 1, tzinfo=UTC)
        credential("empty", modified_at=at, pairs={}).save()
        credential("full", modified_at=at, pairs={}, tags=frozenset({"b", "a"})).save()

        assert credential.get("empty").tags == frozenset()
        assert credential.get("full").tags == {"a", "b"}

    def test_revisions(self, models):
        """A new revision is conditional, and the old one stays in the archive."""
        credential, _, archived = models
        at = datetime(2026, 1, 1, tzinfo=UTC)
        first = credential("c", modified_at=at, pairs={"password": "1"})
        first.save(credential.id.does_not_exist())
        with archived.batch_write() as batch:
            batch.save(archived("c-1", modified_at=at, pairs=first.pairs))
        first.update(
            [credential.revision.set(2), credential.pairs.set({"password": "2"})],
            condition=credential.revision == 1,
        )

        assert [archived.get("c-1").pairs, credential.get("c").pairs] == [
            {"password": "1"},
            {"password": "2"},
        ]
        assert credential.get("c").revision == 2
        with pytest.raises(DoesNotExist):
            archived.get("c")


class TestGenericResource:
    """One RESTX resource for any model, which it inspects."""

    @pytest.fixture
    def client(self, db, app, context):
        class Device(db.Model):
            owner = UnicodeAttribute(hash_key=True)
            serial = UnicodeAttribute(range_key=True)
            name = UnicodeAttribute(default="")
            weight = NumberAttribute(null=True)

        def resource_of(model: Any) -> type[Resource]:
            class Items(Resource):
                def get(self, owner: str) -> Any:
                    conditions = [
                        getattr(model, name) == value for name, value in request.args.items()
                    ]
                    found = model.query(owner, filter_condition=next(iter(conditions), None))
                    return [item.to_simple_dict() for item in found]

                def post(self, owner: str) -> Any:
                    unknown = request.json.keys() - model.get_attributes().keys()
                    if unknown:
                        return {"unknown": sorted(unknown)}, 400
                    item = model(owner, **request.json)
                    item.save()
                    return item.to_simple_dict(), 201

            return Items

        api = Api(app)
        api.add_resource(resource_of(Device), "/devices/<owner>")
        db.create_all()
        return app.test_client()

    def test_items(self, client):
        """Items are added, listed and filtered as JSON."""
        body = {"serial": "1", "name": "lamp", "weight": 2.5}
        added = client.post("/devices/ada", json=body)
        client.post("/devices/ada", json={"serial": "2"})

        assert (added.status_code, added.json) == (201, {"owner": "ada", **body})
        assert [item["serial"] for item in client.get("/devices/ada").json] == ["1", "2"]
        assert [item["serial"] for item in client.get("/devices/ada?name=lamp").json] == ["1"]

    def test_unknown_attribute(self, client):
        """The attributes of the model are what a client may send."""
        answer = client.post("/devices/ada", json={"serial": "1", "color": "red"})

        assert (answer.status_code, answer.json) == (400, {"unknown": ["color"]})

    def test_swagger(self, client):
        """The document of RESTX has the routes."""
        assert client.get("/swagger.json").json["paths"].keys() == {"/devices/{owner}"}


class TestBlog:
    """A factory with a command that makes the tables, and a user in the session."""

    @pytest.fixture
    def app(self, db, make_app):
        class ByAuthor(GlobalSecondaryIndex):
            class Meta:
                index_name = "by_author"
                projection = AllProjection()
                read_capacity_units = 1
                write_capacity_units = 1

            author = UnicodeAttribute(hash_key=True)
            number = NumberAttribute(range_key=True)

        class User(db.Model):
            class Meta:
                table_name = "users"
                read_capacity_units = 1
                write_capacity_units = 1

            name = UnicodeAttribute(hash_key=True)

        class Post(db.Model):
            class Meta:
                table_name = "posts"
                read_capacity_units = 1
                write_capacity_units = 1

            number = NumberAttribute(hash_key=True)
            author = UnicodeAttribute()
            title = UnicodeAttribute()
            by_author = ByAuthor()

        app = make_app()
        db.init_app(app)

        @app.cli.command("init-db")
        def init_db() -> None:
            for model in (User, Post):
                if not model.exists():
                    model.create_table(wait=True)
            User("ada").save()

        @app.post("/login/<name>")
        def login(name: str) -> Any:
            session["user"] = User.get_or_404(name).name
            return "", 204

        @app.post("/posts/<int:number>")
        def write(number: int) -> Any:
            author = User.get(session["user"])
            Post(number, author=author.name, title=request.json["title"]).save()
            return "", 201

        @app.get("/posts")
        def read() -> Any:
            posts = Post.by_author.query(session["user"], scan_index_forward=False)
            return [post.title for post in posts]

        return app

    def test_posts(self, app):
        """The command can be repeated; a user signs in, writes and reads the latest post first."""
        runner, client = app.test_cli_runner(), app.test_client()
        results = [runner.invoke(args=["init-db"]) for _ in range(2)]
        unknown = client.post("/login/eve")
        client.post("/login/ada")
        for number in (1, 2):
            client.post(f"/posts/{number}", json={"title": f"post {number}"})

        assert [result.exception for result in results] == [None, None]
        assert unknown.status_code == 404
        assert client.get("/posts").json == ["post 2", "post 1"]
