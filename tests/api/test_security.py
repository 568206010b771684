"""Points of OWASP ASVS 5.0 and flaws of similar systems, as far as today's routes meet them."""

import pytest

from models import Session
from tests.support.person import PASSWORD
from tests.support.responses import ADA, NEW_PASSWORD, outcome


class TestAuthorisation:
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
    def test_anonymous(self, client, eve, stored, method, path):
        """ASVS 8.2.1: without a session every route but sign-up and sign-in is closed."""
        before = stored()

        response = client.open(
            path.format(eve=eve.id, session=eve.session_id), method=method, json={"full_name": "x"}
        )

        assert outcome(response) == (401, "unauthenticated", [])
        assert stored() == before

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
    def test_another_user(self, jane, eve, stored, method, path, body, expected):
        """ASVS 8.2.2: nobody reads, changes or ends what is somebody else's."""
        before = stored()

        response = jane.request(method, path.format(eve=eve.id, session=eve.session_id), json=body)

        assert outcome(response) == expected
        assert stored() == before

    @pytest.mark.parametrize(
        "member, value", [("roles", ["admin"]), ("status", "active"), ("roles", ["user"])]
    )
    @pytest.mark.parametrize("method, path", [("PATCH", "/v1/users/me"), ("POST", "/v1/users")])
    def test_fields(self, jane, stored, method, path, member, value):
        """ASVS 8.2.3: a field for admins is refused by name, even with the value it has."""
        before = stored()

        response = jane.request(method, path, json={**ADA, member: value})

        assert outcome(response) == (403, "forbidden", [f"/{member}"])
        assert stored() == before

    def test_role_change_applies_at_once(self, john, enrol):
        """ASVS 8.3.2: no session carries a stale role, in either direction."""
        amy = enrol("amy")
        john.patch(amy.path, json={"roles": ["admin"]})
        assert amy.get("/v1/users").status_code == 200

        john.patch(amy.path, json={"roles": ["user"]})

        assert outcome(amy.get("/v1/users")) == (403, "forbidden", [])


class TestSessions:
    def test_logout_then_replay(self, jane, make_app):
        """CVE-2024-34709: a token is dead after logout, in another worker too."""
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
    def test_disable_and_delete_end_sessions(self, john, jane, elsewhere, stored, method, body):
        """ASVS 7.4.2: every session of a disabled or deleted user ends, and its rows go."""
        phone = elsewhere(jane)

        john.request(method, jane.path, json=body)

        assert jane.get("/v1/users/me").status_code == 401
        assert phone.get("/v1/users/me").status_code == 401
        assert [row for row in stored()["Session"] if jane.id in row] == []

    def test_password_change_ends_other_sessions(self, jane, elsewhere):
        """CVE-2023-40273: no older token survives a new password."""
        phone = elsewhere(jane)

        jane.put(
            "/v1/users/me/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        assert phone.get("/v1/users/me").status_code == 401

    def test_suspended_user_with_a_new_password(self, app, john, jane, alter, client):
        """GHSA-26c5-ppr8-f33p: who is suspended stays out, whatever password it gets."""
        john.patch(jane.path, json={"status": "suspended"})
        alter(jane, password_hash=app.extensions["roster"].accounts.passwords.hash(NEW_PASSWORD))

        response = client.post("/v1/sessions", json={"login": "jane", "password": NEW_PASSWORD})

        assert outcome(response) == (401, "invalid-credentials", [])

    def test_token_is_stored_as_a_digest(self, app, jane):
        """ASVS 16.2.5: whoever reads the table cannot sign in with what is there."""
        with app.app_context():
            rows = [str(row.serialize()) for row in Session.scan()]

        assert len(rows) == 1
        assert jane.token not in rows[0]
        assert jane.token.removeprefix("rst_")[24:] not in rows[0]

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize(
        "path", ["/v1/sessions", "/v1/users/me", "/v1/users", "/v1/users/{id}/sessions"]
    )
    def test_reading_never_yields_a_token(self, john, method, path):
        """CVE-2021-21241: only a POST with a JSON body opens a session."""
        response = john.request(method, path.format(id=john.id))

        assert response.status_code == 200
        assert "rst_" not in response.text + str(response.headers)
        assert "Set-Cookie" not in response.headers

    @pytest.mark.parametrize("query", ["login=jane&password=x", "method=POST", "_method=POST"])
    def test_reading_never_signs_in(self, client, query):
        """CVE-2021-21241: a link signs nobody in."""
        assert outcome(client.get(f"/v1/sessions?{query}")) == (401, "unauthenticated", [])

    @pytest.mark.parametrize(
        "header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
    )
    def test_method_is_the_method(self, jane, header):
        """ASVS 4.1.4: a header does not turn a GET into a DELETE."""
        response = jane.get("/v1/users/me", headers={header: "DELETE"})

        assert response.status_code == 200
        assert jane.get("/v1/users/me").status_code == 200

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"]
    )
    def test_client_does_not_choose_its_address(self, jane, client, header):
        """ASVS 4.1.3, 15.3.4: what the client says of its address is not believed."""
        credentials = {"login": "jane", "password": PASSWORD}
        client.post("/v1/sessions", json=credentials, headers={header: "192.0.2.66"})

        assert "192.0.2.66" not in jane.get("/v1/sessions").text
