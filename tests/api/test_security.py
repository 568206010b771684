"""Requirements of OWASP ASVS 5.0, and known vulnerabilities of similar systems."""

import pytest

from models import Session
from tests.support.person import PASSWORD
from tests.support.responses import ADA, NEW_PASSWORD, outcome


class TestAuthorization:
    """ASVS 8.2.1 to 8.3.1: by function, by object, by field."""

    @pytest.mark.parametrize(
        "method, path",
        [
            ("GET", "/v1/users"),
            ("GET", "/v1/users/{eve}"),
            ("GET", "/v1/users/me"),
            ("PATCH", "/v1/users/{eve}"),
            ("DELETE", "/v1/users/{eve}"),
            ("PUT", "/v1/users/{eve}/password"),
            ("GET", "/v1/users/{eve}/sessions"),
            ("DELETE", "/v1/users/{eve}/sessions"),
            ("GET", "/v1/sessions"),
            ("DELETE", "/v1/sessions"),
            ("DELETE", "/v1/sessions/current"),
            ("DELETE", "/v1/sessions/{session}"),
        ],
    )
    def test_anonymous(self, client, eve, snapshot, method, path):
        """ASVS 8.2.1: without a session every route but sign-up and sign-in is closed."""
        before = snapshot()

        response = client.open(
            path.format(eve=eve.id, session=eve.session_id), method=method, json={"full_name": "x"}
        )

        assert outcome(response) == (401, "unauthenticated", [])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "method, path, body, expected",
        [
            ("GET", "/v1/users", None, (403, "forbidden", [])),
            ("GET", "/v1/users?username=eve", None, (403, "forbidden", [])),
            ("GET", "/v1/users/{eve}", None, (404, "user-not-found", [])),
            ("PATCH", "/v1/users/{eve}", {"full_name": "x"}, (404, "user-not-found", [])),
            ("PATCH", "/v1/users/{eve}", {"roles": []}, (403, "forbidden", ["/roles"])),
            ("DELETE", "/v1/users/{eve}", None, (404, "user-not-found", [])),
            (
                "PUT",
                "/v1/users/{eve}/password",
                {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
                (404, "user-not-found", []),
            ),
            ("GET", "/v1/users/{eve}/sessions", None, (403, "forbidden", [])),
            ("DELETE", "/v1/users/{eve}/sessions", None, (403, "forbidden", [])),
            ("DELETE", "/v1/sessions/{session}", None, (404, "session-not-found", [])),
        ],
    )
    def test_another_user(self, jane, eve, snapshot, method, path, body, expected):
        """ASVS 8.2.2: a user cannot read, change or end anything of another user."""
        before = snapshot()

        response = jane.request(method, path.format(eve=eve.id, session=eve.session_id), json=body)

        assert outcome(response) == expected
        assert snapshot() == before

    @pytest.mark.parametrize(
        "field, value", [("roles", ["admin"]), ("status", "active"), ("roles", ["user"])]
    )
    @pytest.mark.parametrize("method, path", [("PATCH", "/v1/users/me"), ("POST", "/v1/users")])
    def test_fields(self, jane, snapshot, method, path, field, value):
        """ASVS 8.2.3: a field for admins is rejected by name, even with its current value."""
        before = snapshot()

        response = jane.request(method, path, json={**ADA, field: value})

        assert outcome(response) == (403, "forbidden", [f"/{field}"])
        assert snapshot() == before

    def test_role_change_applies_at_once(self, john, create_user):
        """ASVS 8.3.2: a role change applies at once to existing sessions, in both directions."""
        amy = create_user("amy")
        john.patch(amy.path, json={"roles": ["admin"]})
        assert amy.get("/v1/users").status_code == 200

        john.patch(amy.path, json={"roles": ["user"]})

        assert outcome(amy.get("/v1/users")) == (403, "forbidden", [])


class TestSessions:
    def test_logout_then_replay(self, jane, make_app):
        """CVE-2024-34709: a token is invalid after logout, in another worker too."""
        other = make_app().test_client()
        header = {"Authorization": f"Bearer {jane.token}"}
        assert other.get("/v1/users/me", headers=header).status_code == 200

        jane.delete("/v1/sessions/current")

        assert jane.get("/v1/users/me").status_code == 401
        assert other.get("/v1/users/me", headers=header).status_code == 401

    @pytest.mark.parametrize(
        "method, body",
        [("PATCH", {"status": "suspended"}), ("DELETE", None)],
        ids=["disable", "delete"],
    )
    def test_disable_and_delete_end_sessions(
        self, john, jane, second_session, snapshot, method, body
    ):
        """ASVS 7.4.2: all sessions of a disabled or deleted user end; their rows are deleted."""
        phone = second_session(jane)

        john.request(method, jane.path, json=body)

        assert jane.get("/v1/users/me").status_code == 401
        assert phone.get("/v1/users/me").status_code == 401
        assert [row for row in snapshot()["Session"] if jane.id in row] == []

    def test_password_change_ends_other_sessions(self, jane, second_session):
        """CVE-2023-40273: no other token stays valid after a password change."""
        phone = second_session(jane)

        jane.put(
            "/v1/users/me/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        assert phone.get("/v1/users/me").status_code == 401

    def test_suspended_user_with_a_new_password(self, app, john, jane, edit_row, client):
        """GHSA-26c5-ppr8-f33p: a suspended user cannot sign in with a new password either."""
        john.patch(jane.path, json={"status": "suspended"})
        edit_row(jane, password_hash=app.extensions["roster"].accounts.hasher.hash(NEW_PASSWORD))

        response = client.post("/v1/sessions", json={"login": "jane", "password": NEW_PASSWORD})

        assert outcome(response) == (401, "invalid-credentials", [])

    def test_token_is_stored_as_a_digest(self, app, jane):
        """ASVS 16.2.5: rows of the session table cannot be used to sign in."""
        with app.app_context():
            rows = [str(row.serialize()) for row in Session.scan()]

        assert len(rows) == 1
        assert jane.token not in rows[0]
        assert jane.token.removeprefix("rst_")[24:] not in rows[0]

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize(
        "path", ["/v1/sessions", "/v1/users/me", "/v1/users", "/v1/users/{id}/sessions"]
    )
    def test_get_opens_no_session(self, john, method, path):
        """CVE-2021-21241: only a POST with a JSON body opens a session."""
        response = john.request(method, path.format(id=john.id))

        assert response.status_code == 200
        assert "rst_" not in response.text + str(response.headers)
        assert "Set-Cookie" not in response.headers

    @pytest.mark.parametrize("query", ["login=jane&password=x", "method=POST", "_method=POST"])
    def test_query_opens_no_session(self, client, query):
        """CVE-2021-21241: following a link signs no user in."""
        assert outcome(client.get(f"/v1/sessions?{query}")) == (401, "unauthenticated", [])

    @pytest.mark.parametrize(
        "header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
    )
    def test_method_override(self, jane, header):
        """ASVS 4.1.4: a header does not turn a GET into a DELETE."""
        response = jane.get("/v1/users/me", headers={header: "DELETE"})

        assert response.status_code == 200
        assert jane.get("/v1/users/me").status_code == 200

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"]
    )
    def test_forged_client_address(self, jane, client, header):
        """ASVS 4.1.3, 15.3.4: forwarding headers of a client are ignored."""
        credentials = {"login": "jane", "password": PASSWORD}
        client.post("/v1/sessions", json=credentials, headers={header: "192.0.2.66"})

        assert "192.0.2.66" not in jane.get("/v1/sessions").text
