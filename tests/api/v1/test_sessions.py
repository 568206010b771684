"""List and end sessions."""

import pytest

from tests.support.responses import ABSENT_ID, outcome

SESSION = {
    "id",
    "created_at",
    "authenticated_at",
    "amr",
    "last_used_at",
    "expires_at",
    "user_agent",
    "ip",
    "current",
}
NO_IDS = ["nonsense", "0" * 63, "g" * 64, "%00", "..", "a" * 5000, "CURRENT", "é"]


def ids(response):
    return [row["id"] for row in response.json["items"]]


class TestOwnList:
    def test_newest_first(self, jane, second_session):
        """A user sees its sessions, newest first."""
        phone = second_session(jane)
        laptop = second_session(jane)

        response = jane.get("/v1/sessions")

        assert ids(response) == [laptop.session_id, phone.session_id, jane.session_id]
        assert response.headers["Cache-Control"] == "no-store"

    def test_fields(self, jane):
        """A session has the contract's fields, without its token."""
        (row,) = jane.get("/v1/sessions").json["items"]

        assert set(row) == SESSION
        assert jane.token not in str(row)

    def test_current(self, jane, second_session):
        """The session of the request is marked as current, others are not."""
        phone = second_session(jane)

        rows = phone.get("/v1/sessions").json["items"]

        assert [row["current"] for row in rows] == [True, False]

    def test_client(self, jane, client):
        """A session has the client's address and user agent at sign-in."""
        client.post(
            "/v1/sessions",
            json={"login": "jane", "password": jane.password},
            headers={"User-Agent": "Lynx/2.8"},
            environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
        )

        row = jane.get("/v1/sessions").json["items"][0]

        assert (row["user_agent"], row["ip"]) == ("Lynx/2.8", "192.0.2.7")

    def test_long_user_agent(self, jane, client):
        """A long user agent is truncated, not rejected."""
        client.post(
            "/v1/sessions",
            json={"login": "jane", "password": jane.password},
            headers={"User-Agent": "x" * 5000},
        )

        row = jane.get("/v1/sessions").json["items"][0]

        assert len(row["user_agent"]) == 400

    def test_no_user_agent(self, jane, client):
        """Without a user agent the field is null."""
        client.post(
            "/v1/sessions",
            json={"login": "jane", "password": jane.password},
            headers={"User-Agent": ""},
        )

        assert not jane.get("/v1/sessions").json["items"][0]["user_agent"]

    def test_others_are_not_listed(self, jane, eve):
        """Sessions of other users are not in the list."""
        assert ids(jane.get("/v1/sessions")) == [jane.session_id]

    def test_anonymous(self, client):
        """An anonymous client gets a 401."""
        assert outcome(client.get("/v1/sessions")) == (401, "unauthenticated", [])


class TestEndOne:
    def test_another_session(self, jane, second_session):
        """A user ends one of its sessions, and the others continue (ASVS 7.5.2)."""
        phone = second_session(jane)

        response = jane.delete(f"/v1/sessions/{phone.session_id}")

        assert (response.status_code, response.data) == (204, b"")
        assert outcome(phone.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert ids(jane.get("/v1/sessions")) == [jane.session_id]

    def test_by_its_own_id(self, jane):
        """The current session can be named by its id too."""
        assert jane.delete(f"/v1/sessions/{jane.session_id}").status_code == 204
        assert jane.get("/v1/users/me").status_code == 401

    def test_current(self, jane, second_session):
        """Signing out ends this session and no other."""
        phone = second_session(jane)

        response = jane.delete("/v1/sessions/current")

        assert (response.status_code, response.data) == (204, b"")
        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert phone.get("/v1/users/me").status_code == 200

    def test_twice(self, jane, second_session):
        """An ended session is a 404."""
        phone = second_session(jane)
        jane.delete(f"/v1/sessions/{phone.session_id}")

        response = jane.delete(f"/v1/sessions/{phone.session_id}")

        assert outcome(response) == (404, "session-not-found", [])

    def test_of_another_user(self, jane, eve):
        """Another user's session is a 404 and continues."""
        response = jane.delete(f"/v1/sessions/{eve.session_id}")

        assert outcome(response) == (404, "session-not-found", [])
        assert eve.get("/v1/users/me").status_code == 200

    def test_admin_has_no_access_to_others(self, john, jane):
        """An admin can end only its own sessions here."""
        response = john.delete(f"/v1/sessions/{jane.session_id}")

        assert outcome(response) == (404, "session-not-found", [])

    @pytest.mark.parametrize("id", NO_IDS)
    def test_malformed_id(self, jane, snapshot, id):
        """A malformed session id is a 404 and ends nothing."""
        before = snapshot()

        assert outcome(jane.delete(f"/v1/sessions/{id}")) == (404, "session-not-found", [])
        assert snapshot() == before

    @pytest.mark.parametrize("path", ["", "/current", f"/{'0' * 64}"])
    def test_anonymous(self, client, jane, path):
        """An anonymous client ends nothing."""
        response = client.delete(f"/v1/sessions{path}")

        assert outcome(response) == (401, "unauthenticated", [])
        assert jane.get("/v1/users/me").status_code == 200


class TestEndAll:
    def test_all_sessions(self, jane, eve, second_session):
        """All sessions of the user end, the current one included, and no other user's."""
        phone = second_session(jane)

        response = jane.delete("/v1/sessions")

        assert (response.status_code, response.data) == (204, b"")
        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert outcome(phone.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert eve.get("/v1/users/me").status_code == 200

    def test_sign_in_again(self, jane):
        """A user can sign in again afterwards."""
        jane.delete("/v1/sessions")

        assert ids(jane.sign_in().get("/v1/sessions")) == [jane.session_id]

    def test_rows_are_deleted(self, jane, second_session, snapshot):
        """Ended sessions leave no rows."""
        second_session(jane).delete("/v1/sessions")

        assert snapshot()["Session"] == []


class TestSessionsOfAUser:
    def test_admin_lists(self, john, jane, second_session):
        """An admin sees a user's sessions; none is marked as current."""
        phone = second_session(jane)

        response = john.get(f"{jane.path}/sessions")

        assert ids(response) == [phone.session_id, jane.session_id]
        assert [row["current"] for row in response.json["items"]] == [False, False]
        assert jane.token not in response.text

    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_admin_lists_its_own(self, john, path):
        """`me` and the admin's own id work here too."""
        response = john.get(f"{path.replace('own id', john.path)}/sessions")

        assert ids(response) == [john.session_id]
        assert response.json["items"][0]["current"] is True

    def test_admin_ends(self, john, jane, second_session):
        """An admin ends all sessions of a user, and no other user's (ASVS 7.4.5)."""
        phone = second_session(jane)

        response = john.delete(f"{jane.path}/sessions")

        assert (response.status_code, response.data) == (204, b"")
        assert jane.get("/v1/users/me").status_code == 401
        assert phone.get("/v1/users/me").status_code == 401
        assert ids(john.get(f"{jane.path}/sessions")) == []
        assert john.get("/v1/users/me").status_code == 200

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_unknown_user(self, john, method):
        """An unknown id is a 404."""
        response = john.request(method, f"/v1/users/{ABSENT_ID}/sessions")

        assert outcome(response) == (404, "user-not-found", [])

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    @pytest.mark.parametrize("path", ["/v1/users/me", f"/v1/users/{ABSENT_ID}"])
    def test_user(self, jane, method, path):
        """Only admins have access."""
        response = jane.request(method, f"{path}/sessions")

        assert outcome(response) == (403, "forbidden", [])
        assert jane.get("/v1/users/me").status_code == 200
