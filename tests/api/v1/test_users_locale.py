"""The language of a user: set, changed, removed, and rejected."""

import pytest

from models import User
from tests.models.test_locales import MALFORMED
from tests.support.responses import ADA, outcome


class TestRegister:
    def test_canonical(self, client):
        """A language tag is stored in canonical case."""
        response = client.post("/v1/users", json={**ADA, "locale": "PT-br"})

        assert response.status_code == 201
        assert response.json["locale"] == "pt-BR"

    @pytest.mark.parametrize("headers", [{}, {"Accept-Language": "de"}])
    def test_none(self, client, headers):
        """Without one it is null: the language of a program says nothing about the user."""
        response = client.post("/v1/users", json=ADA, headers=headers)

        assert response.json["locale"] is None

    def test_null(self, client):
        """Null is the same as omitting it."""
        response = client.post("/v1/users", json={**ADA, "locale": None})

        assert response.status_code == 201
        assert response.json["locale"] is None

    @pytest.mark.parametrize("tag", MALFORMED)
    def test_malformed(self, client, snapshot, tag):
        """A text that is no language tag is rejected at its field, and nothing is stored."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "locale": tag})

        assert outcome(response) == (422, "invalid-request", ["/locale"])
        assert snapshot() == before

    def test_every_fault(self, client):
        """It is reported together with the other faults of the body."""
        response = client.post("/v1/users", json={**ADA, "username": "a", "locale": "de_DE"})

        assert outcome(response) == (422, "invalid-request", ["/locale", "/username"])


class TestUpdate:
    def test_change(self, jane):
        """The user changes the language, and reads it back."""
        response = jane.patch("/v1/users/me", json={"locale": "DE-ch"})

        assert response.status_code == 200
        assert response.json["locale"] == "de-CH"
        assert jane.get("/v1/users/me").json["locale"] == "de-CH"

    def test_null_removes(self, app, jane):
        """Null removes it (RFC 7396)."""
        jane.patch("/v1/users/me", json={"locale": "de"})

        response = jane.patch("/v1/users/me", json={"locale": None})

        assert response.json["locale"] is None
        with app.app_context():
            assert User.get(jane.id).locale is None

    def test_absent(self, jane):
        """A patch that does not name it keeps it."""
        jane.patch("/v1/users/me", json={"locale": "de"})

        response = jane.patch("/v1/users/me", json={"full_name": "Jane"})

        assert response.json["locale"] == "de"

    def test_same_tag(self, jane):
        """The same tag in another case is no change."""
        before = jane.patch("/v1/users/me", json={"locale": "de-CH"})

        response = jane.patch("/v1/users/me", json={"locale": "DE-CH"})

        assert response.headers["ETag"] == before.headers["ETag"]

    @pytest.mark.parametrize("tag", MALFORMED)
    def test_malformed(self, jane, snapshot, tag):
        """A text that is no language tag is rejected at its field, and nothing changes."""
        before = snapshot()

        response = jane.patch("/v1/users/me", json={"locale": tag})

        assert outcome(response) == (422, "invalid-request", ["/locale"])
        assert snapshot() == before

    def test_admin(self, john, jane):
        """An admin changes that of another user."""
        john.patch(jane.path, json={"locale": "fr"})

        assert jane.get("/v1/users/me").json["locale"] == "fr"

    def test_another_user(self, eve, jane):
        """For other users the user does not exist."""
        response = eve.patch(jane.path, json={"locale": "fr"})

        assert outcome(response) == (404, "user-not-found", [])

    def test_event(self, jane):
        """The audit event names the field, and not its value."""
        jane.patch("/v1/users/me", json={"locale": "fr"})
        [event, *_] = jane.get("/v1/users/me/events").json["items"]

        assert (event["type"], event["members"]) == ("user.updated", ["locale"])
