"""Compiled marshalling, compared with RESTX."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from flask_restx import Model, fields, marshal

from api.fields import Object, Text, Timestamp
from api.serialization import compiled

PLACE = Model("Place", {"city": Text(required=True), "lot": fields.Integer})
PERSON = Model(
    "Person",
    {
        "id": Text(required=True),
        "name": Text(nullable=True, attribute="full_name"),
        "is_here": fields.Boolean,
        "roles": fields.List(Text),
        "home": fields.Nested(PLACE, allow_null=True),
        "places": fields.List(fields.Nested(PLACE)),
        "born_at": Timestamp,
        "more": Object,
    },
)
ADA = {
    "id": "1",
    "full_name": "Ada Lovelace",
    "is_here": False,
    "roles": ["user", "admin"],
    "home": {"city": "London", "lot": 3},
    "places": [{"city": "Ockham", "lot": 1}, {"city": "Paris", "lot": None}],
    "born_at": datetime(1815, 12, 10, 12, tzinfo=UTC),
    "more": {"a": [1, {"b": None}]},
    "secret": "is not in the schema",
}


class TestCompiled:
    def test_same_as_restx(self):
        """Each kind of field is marshalled as RESTX marshals it."""
        assert compiled(PERSON)(ADA) == marshal(ADA, PERSON)

    def test_attributes(self):
        """Attributes of an object are read like keys of a dict."""
        assert compiled(PERSON)(SimpleNamespace(**ADA)) == compiled(PERSON)(ADA)

    @pytest.mark.parametrize("member", ["full_name", "is_here", "roles", "home", "born_at"])
    def test_none(self, member):
        """An absent value is null."""
        without_member = {**ADA, member: None}

        assert compiled(PERSON)(without_member) == marshal(without_member, PERSON)

    def test_other_time_zone(self):
        """A timestamp in any time zone is shown in UTC, to the second."""
        here = timezone(timedelta(hours=2))
        shown = compiled(PERSON)({**ADA, "born_at": datetime(2026, 1, 2, 1, 4, 5, 999, here)})

        assert shown["born_at"] == "2026-01-01T23:04:05Z"

    def test_field_is_missing(self):
        """A missing field raises an error instead of becoming null."""
        with pytest.raises(KeyError):
            compiled(PERSON)({"id": "1"})

    @pytest.mark.parametrize(
        "field",
        [
            fields.Integer(default=3),
            fields.Wildcard(Text),
            fields.String(attribute=lambda person: person["id"]),
        ],
        ids=["default", "wildcard", "function"],
    )
    def test_unsupported_field(self, field):
        """A field that only RESTX can marshal is rejected when the view is declared."""
        with pytest.raises(TypeError, match="'extra'"):
            compiled(Model("Odd", {"extra": field}))
