"""/v1/clients: create, read, change, delete."""

import logging

import pytest

from tests.support.responses import ABSENT_ID, outcome

PATH = "/v1/clients"
BILLING = {"name": "billing", "scopes": ["introspect"], "audience": "https://billing.example.com"}
FIELDS = {
    "id",
    "kind",
    "name",
    "scopes",
    "audience",
    "disabled",
    "secrets",
    "created_at",
    "updated_at",
}


@pytest.fixture
def billing(john):
    """Return a client as its creation has shown it."""
    response = john.post(PATH, json=BILLING)
    assert response.status_code == 201, response.text
    return response.json


class TestCreate:
    def test_response(self, john):
        """The response describes the client, with its secret, `Location` and `ETag`."""
        response = john.post(PATH, json=BILLING)

        shown = response.json
        read = john.get(response.headers["Location"])
        assert set(shown) == {*FIELDS, "secret"}
        assert {name: shown[name] for name in BILLING} == BILLING
        assert read.json == {name: shown[name] for name in FIELDS}
        assert read.headers["ETag"] == response.headers["ETag"]

    def test_shown_once(self, john, billing, caplog, snapshot):
        """ASVS 14.2.1, 16.2.5: no other response, no table and no log contains the secret."""
        caplog.set_level(logging.DEBUG, logger="roster")
        path = f"{PATH}/{billing['id']}"

        later = [john.get(PATH), john.get(path), john.patch(path, json={"name": "invoices"})]

        texts = [*(answer.text for answer in later), caplog.text, str(snapshot())]
        assert [answer.status_code for answer in later] == [200, 200, 200]
        assert billing["secret"] not in "".join(texts)

    def test_audience_taken(self, john, billing):
        """The error names the field."""
        response = john.post(PATH, json={**BILLING, "name": "invoices"})

        assert outcome(response) == (409, "audience-taken", ["/audience"])

    @pytest.mark.parametrize(
        "change, pointer",
        [
            ({"name": ""}, "/name"),
            ({"name": "a\u202eb"}, "/name"),
            ({"kind": "web"}, "/kind"),
            ({"scopes": ["admin"]}, "/scopes/0"),
            ({"scopes": ["introspect", "introspect"]}, "/scopes"),
            ({"audience": "billing"}, "/audience"),
            ({"audience": None}, "/audience"),
            ({"secret": "mine"}, "/secret"),
            ({"disabled": True}, "/disabled"),
        ],
    )
    def test_invalid(self, john, change, pointer):
        """Each faulty field is named."""
        response = john.post(PATH, json={**BILLING, **change})

        assert outcome(response) == (422, "invalid-request", [pointer])

    def test_event(self, john, billing):
        """Admins find what happened to a client by its ID."""
        events = john.get(f"/v1/events?user={billing['id']}").json["items"]

        assert [(each["type"], each["actor_id"]) for each in events] == [
            ("client.created", john.id)
        ]


class TestUpdate:
    def test_patch(self, john, billing):
        """Named fields change, others stay; null removes the audience."""
        path = f"{PATH}/{billing['id']}"
        response = john.patch(path, json={"audience": None, "disabled": True})

        assert response.json["audience"] is None
        assert response.json["disabled"] is True
        assert response.json["scopes"] == ["introspect"]
        assert john.get(path).json == response.json

    def test_if_match(self, john, billing):
        """A change for an outdated version is rejected and names the client."""
        path = f"{PATH}/{billing['id']}"
        tag = john.get(path).headers["ETag"]
        john.patch(path, json={"name": "invoices"})
        response = john.patch(path, json={"name": "other"}, headers={"If-Match": tag})

        assert outcome(response) == (412, "version-mismatch", [])
        assert "client" in response.json["detail"]
        assert john.get(path).json["name"] == "invoices"

    def test_not_modified(self, john, billing):
        """A current copy is not sent again."""
        path = f"{PATH}/{billing['id']}"
        tag = john.get(path).headers["ETag"]

        assert john.get(path, headers={"If-None-Match": tag}).status_code == 304

    @pytest.mark.parametrize("field", ["id", "kind", "secrets", "created_at", "audiences"])
    def test_read_only(self, john, billing, field):
        """Read-only and unknown fields are rejected."""
        response = john.patch(f"{PATH}/{billing['id']}", json={field: "x"})

        assert outcome(response) == (422, "invalid-request", [f"/{field}"])


class TestSecrets:
    def test_rotation(self, john, billing):
        """A second secret is shown once; the first one can then be revoked."""
        path = f"{PATH}/{billing['id']}"
        added = john.post(f"{path}/secrets")
        [first, second] = john.get(path).json["secrets"]
        revoked = john.delete(f"{path}/secrets/{first['id']}")

        assert added.json["secret"].startswith("rsc_")
        assert added.headers["Location"] == f"{path}/secrets/{second['id']}"
        assert revoked.status_code == 204
        assert [each["id"] for each in john.get(path).json["secrets"]] == [second["id"]]

    def test_third(self, john, billing):
        """A third secret is rejected."""
        path = f"{PATH}/{billing['id']}/secrets"
        john.post(path)

        assert outcome(john.post(path)) == (409, "too-many-secrets", [])


class TestIds:
    def test_letter_case(self, john, billing):
        """IDs in the path are accepted in any letter case."""
        path = f"{PATH}/{billing['id'].upper()}"
        secret = billing["secrets"][0]["id"].upper()

        assert john.get(path).json["id"] == billing["id"]
        assert john.delete(f"{path}/secrets/{secret}").status_code == 204

    @pytest.mark.parametrize("id", [ABSENT_ID, "me", "0", "%00", "a" * 300])
    def test_unknown(self, john, id):
        """An ID that is none is not found, like one that does not exist."""
        assert outcome(john.get(f"{PATH}/{id}")) == (404, "client-not-found", [])

    def test_id_of_a_user(self, john, jane):
        """A user is no client."""
        assert john.get(f"{PATH}/{jane.id}").status_code == 404


class TestList:
    def test_pages(self, john):
        """Pages are newest first, and `Link` leads from one to the next."""
        ids = [john.post(PATH, json={"name": f"client {n}"}).json["id"] for n in range(3)]
        first = john.get(PATH, query_string={"limit": 2})
        second = john.get(PATH, query_string={"limit": 2, "cursor": first.json["next_cursor"]})

        assert [each["id"] for each in first.json["items"] + second.json["items"]] == ids[::-1]
        assert "next" in first.headers["Link"]
        assert second.json["next_cursor"] is None


class TestSecretAsToken:
    @pytest.mark.parametrize("path", ["/v1/users/me", "/v1/users", "/v1/clients", "/v1/sessions"])
    def test_opens_no_route(self, client, billing, path):
        """The secret of a client is no token of a user."""
        response = client.get(path, headers={"Authorization": f"Bearer {billing['secret']}"})

        assert outcome(response) == (403, "forbidden", [])
