"""Unknown, read-only, mistyped or unreadable fields are named in a 4xx, never a 500."""

import pytest

from tests.support.bodies import GOOD, OTHER_ROUTES, ROUTES
from tests.support.responses import outcome

TEXT_FIELDS = [
    ("POST", "/v1/users", "username"),
    ("POST", "/v1/users", "email"),
    ("POST", "/v1/users", "password"),
    ("POST", "/v1/users", "full_name"),
    ("POST", "/v1/users", "locale"),
    ("PATCH", "/v1/users/me", "username"),
    ("PATCH", "/v1/users/me", "email"),
    ("PATCH", "/v1/users/me", "full_name"),
    ("PATCH", "/v1/users/me", "locale"),
    ("PUT", "/v1/users/me/password", "current_password"),
    ("PUT", "/v1/users/me/password", "new_password"),
    ("POST", "/v1/sessions", "login"),
    ("POST", "/v1/sessions", "password"),
    ("POST", "/v1/sessions", "otp"),
    ("POST", "/v1/sessions/current/reauthenticate", "password"),
    ("POST", "/v1/sessions/current/reauthenticate", "otp"),
    ("POST", "/v1/users/me/second-factor/confirm", "otp"),
    ("POST", "/v1/users/me/api-keys", "name"),
    ("POST", "/v1/password-resets", "email"),
    ("POST", "/v1/password-resets/confirm", "token"),
    ("POST", "/v1/password-resets/confirm", "new_password"),
    ("POST", "/v1/email-verifications", "email"),
    ("POST", "/v1/email-verifications/confirm", "token"),
]
NULLABLE = ("username", "full_name", "locale")
NEVER_NULL = [each for each in TEXT_FIELDS if each[2] not in NULLABLE]


@pytest.mark.parametrize("route", [*ROUTES, *OTHER_ROUTES])
class TestFields:
    @pytest.mark.parametrize(
        "field, value",
        [
            ("id", "01a1fb1b-6876-7644-9935-757fb23d0a56"),
            ("created_at", "2020-01-01T00:00:00Z"),
            ("updated_at", "2020-01-01T00:00:00Z"),
            ("last_login_at", None),
            ("password_hash", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"),
            ("role", "admin"),
            ("is_admin", True),
            ("admin", True),
            ("version", 7),
            ("epoch", 0),
            ("shard", 0),
            ("elevation", "admin"),
            ("bar", None),
            ("by", {"user_id": "x"}),
            ("versions", None),
            ("session", {}),
            ("client", {}),
            ("self", {}),
            ("__class__", "User"),
            ("Username", "ada"),
            ("username ", "ada"),
            ("usern\u0430me", "ada"),
            ("", ""),
        ],
    )
    def test_unknown_or_read_only(self, jane, snapshot, route, field, value):
        """A field that may not be set is rejected by name, not dropped (CVE-2019-16097)."""
        before = snapshot()

        response = jane.request(*route, json={**GOOD[route[1]], field: value})

        assert outcome(response) == (422, "invalid-request", [f"/{field}"])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "data, pointer",
        [
            (b'{"\\u0000": 1}', "/\x00"),
            (b'{"\\ud800": 1}', "/?"),
            (b'{"a\\udfffb": 1}', "/a?b"),
            (b'{"a/b~": 1, "a": {"b": 1}}', "/a~1b~0"),
        ],
    )
    def test_unprintable_names(self, jane, route, data, pointer):
        """Field names that cannot be printed are rejected and named as far as possible."""
        response = jane.request(*route, data=data, content_type="application/json")

        status, kind, named = outcome(response)
        assert (status, kind) == (422, "invalid-request")
        assert pointer in named

    def test_thousands(self, jane, route):
        """A body with thousands of unknown fields is rejected like a body with one."""
        response = jane.request(*route, json={f"field-{number}": 1 for number in range(3000)})

        assert outcome(response)[:2] == (422, "invalid-request")


@pytest.mark.parametrize("method, path, field", TEXT_FIELDS)
class TestText:
    @pytest.mark.parametrize(
        "value",
        [
            [],
            ["jane@example.com"],
            ["jane@example.com", "eve@example.com"],
            {},
            {"S": "jane"},
            {"$ne": None},
            0,
            1,
            -1.5,
            10**400,
            True,
            False,
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_wrong_type(self, jane, snapshot, method, path, field, value):
        """A text field accepts no other type and converts none (CVE-2023-7028, ASVS 15.3.5)."""
        before = snapshot()

        response = jane.request(method, path, json={**GOOD[path], field: value})

        assert outcome(response) == (422, "invalid-request", [f"/{field}"])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "value",
        [
            "x" * 10_000,
            "é" * 10_000,
            "half a \ud800 pair, for once",
            "\udfff",
            "a\x00b",
            "\x00",
        ],
        ids=["10,000 letters", "10,000 é", "surrogate", "low surrogate", "NUL", "NUL only"],
    )
    def test_wrong_text(self, jane, snapshot, method, path, field, value):
        """Text that is too long or has forbidden characters is a 422, never a 500."""
        before = snapshot()

        response = jane.request(method, path, json={**GOOD[path], field: value})

        assert outcome(response) == (422, "invalid-request", [f"/{field}"])
        assert value[:100] not in response.text
        assert snapshot() == before


class TestNull:
    @pytest.mark.parametrize(
        "method, path, field", [*NEVER_NULL, ("POST", "/v1/users", "metadata")]
    )
    def test_null(self, jane, snapshot, method, path, field):
        """Null is not a string; only username, full name and language are nullable."""
        before = snapshot()

        response = jane.request(method, path, json={**GOOD[path], field: None})

        assert outcome(response) == (422, "invalid-request", [f"/{field}"])
        assert snapshot() == before
