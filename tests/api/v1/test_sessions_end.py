"""Session expiry, and invalid tokens."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Session, User
from tests.support.responses import outcome

PAST = datetime.now(UTC) - timedelta(seconds=2)
REJECTED = (401, "unauthenticated", [])


@pytest.fixture
def edit_session(app):
    """Return a function that edits a session's row: `edit_session(jane, expires_at=PAST)`."""

    def edit(person, **moments):
        with app.app_context():
            actions = [getattr(Session, name).set(timestamp) for name, timestamp in moments.items()]
            Session.get(person.id, person.session_id).update(actions)

    return edit


class TestExpiry:
    def test_idle(self, jane, edit_session):
        """A session that was idle for too long is invalid while its row exists (ASVS 7.3.1)."""
        edit_session(jane, expires_at=PAST)

        assert outcome(jane.get("/v1/users/me")) == REJECTED

    def test_absolute(self, jane, edit_session):
        """A session that is used continuously expires at its maximum age (ASVS 7.3.2)."""
        edit_session(jane, ends_at=PAST)

        assert outcome(jane.get("/v1/users/me")) == REJECTED

    def test_use_does_not_revive(self, jane, edit_session):
        """Using an expired token does not extend its session."""
        edit_session(jane, expires_at=PAST, last_used_at=PAST - timedelta(days=7))
        jane.get("/v1/users/me")

        assert outcome(jane.get("/v1/users/me")) == REJECTED

    def test_use_extends(self, jane, edit_session):
        """Using a session extends it: the idle period starts at the last use."""
        edit_session(
            jane,
            last_used_at=datetime.now(UTC) - timedelta(days=6),
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )

        (row,) = jane.get("/v1/sessions").json["items"]

        left = datetime.fromisoformat(row["expires_at"]) - datetime.now(UTC)
        assert left > timedelta(days=6, hours=23)

    def test_use_does_not_extend_beyond_the_maximum(self, jane, edit_session):
        """Use does not extend a session beyond its maximum age."""
        end = datetime.now(UTC) + timedelta(hours=1)
        edit_session(jane, last_used_at=datetime.now(UTC) - timedelta(days=1), ends_at=end)

        (row,) = jane.get("/v1/sessions").json["items"]

        assert datetime.fromisoformat(row["expires_at"]) <= end

    def test_expired_sessions_are_not_listed(self, jane, edit_session, second_session):
        """A list has no expired sessions."""
        edit_session(jane, expires_at=PAST)
        phone = second_session(jane)

        rows = phone.get("/v1/sessions").json["items"]

        assert [row["id"] for row in rows] == [phone.session_id]

    def test_lifetimes_are_settings(self, make_app, jane):
        """A session lasts no longer than either setting."""
        short = make_app(session_idle=timedelta(hours=2), session_max=timedelta(hours=1))

        response = short.test_client().post(
            "/v1/sessions", json={"login": "jane", "password": jane.password}
        )

        left = datetime.fromisoformat(response.json["expires_at"]) - datetime.now(UTC)
        assert timedelta(minutes=59) < left <= timedelta(hours=1)


class TestMissingRow:
    def test_user_is_missing(self, app, jane):
        """A session without its user is invalid."""
        with app.app_context():
            User.get(jane.id).delete()

        assert outcome(jane.get("/v1/users/me")) == REJECTED

    def test_older_session_epoch(self, jane, edit_row):
        """A session of an older session epoch is invalid while its row exists."""
        edit_row(jane, session_epoch=2)

        assert outcome(jane.get("/v1/users/me")) == REJECTED


class TestInvalidToken:
    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  ",
            "Bearer null",
            "Bearer rst_",
            "Bearer rst_AAAA",
            "Bearer rst_" + "A" * 54,
            "Bearer rst_" + "A" * 53 + "=",
            "Bearer rst_" + "A" * 100_000,
            "Bearer rst_" + "!" * 54,
            "Bearer rst_é",
            "Bearer {} {}",
            "Bearer {},{}",
            'Bearer "{}"',
            "Bearer x{}",
            "Bearer {}A",
            "Bearer {}=",
            "{}",
            "Basic {}",
            "Token {}",
            "Bearer\t{}",
            "Bearer,{}",
            "Basic amFuZTpjb3JyZWN0IGhvcnNlIGJhdHRlcnkgc3RhcGxl",
        ],
    )
    def test_header_is_wrong(self, jane, header):
        """Any header but `Bearer` and a valid token is a 401 with a challenge."""
        response = jane.client.get(
            "/v1/users/me", headers={"Authorization": header.replace("{}", jane.token)}
        )

        assert outcome(response) == REJECTED
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_scheme_is_case_insensitive(self, jane, scheme):
        """The scheme may be written in any case (RFC 9110, 11.1)."""
        response = jane.client.get(
            "/v1/users/me", headers={"Authorization": f"{scheme} {jane.token}"}
        )

        assert response.status_code == 200

    @pytest.mark.parametrize("at", [4, 20, 30, 40, 57])
    def test_one_character_is_changed(self, jane, at):
        """A token with one changed character is invalid, the last one included."""
        other = {"A": "B"}.get(jane.token[at], "A")
        tampered = jane.token[:at] + other + jane.token[at + 1 :]

        response = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {tampered}"})

        assert outcome(response) == REJECTED

    def test_token_is_case_sensitive(self, jane):
        """A token in another case is invalid."""
        response = jane.client.get(
            "/v1/users/me", headers={"Authorization": f"Bearer {jane.token.swapcase()}"}
        )

        assert outcome(response) == REJECTED

    def test_id_of_another_user(self, jane, eve):
        """One user's id with another user's secret is invalid."""
        spliced = jane.token[:24] + eve.token[24:]

        response = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {spliced}"})

        assert outcome(response) == REJECTED

    @pytest.mark.parametrize("parameter", ["access_token", "token", "Authorization"])
    def test_not_in_the_url(self, jane, parameter):
        """A token in a URL is ignored, since URLs are logged (ASVS 14.2.1)."""
        response = jane.client.get(f"/v1/users/me?{parameter}={jane.token}")

        assert outcome(response) == REJECTED

    def test_challenge_without_a_token(self, client):
        """Without a token the challenge has the scheme and no error (RFC 6750, 3.1)."""
        assert client.get("/v1/users/me").headers["WWW-Authenticate"] == "Bearer"

    def test_challenge_for_an_invalid_token(self, client):
        """With an invalid token the challenge has an error (RFC 6750, 3.1)."""
        response = client.get("/v1/users/me", headers={"Authorization": "Bearer rst_x"})

        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
