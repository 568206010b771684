"""When a token stops working, and what was never one."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Session, User
from tests.support.responses import outcome

PAST = datetime.now(UTC) - timedelta(seconds=2)
REFUSED = (401, "unauthenticated", [])


@pytest.fixture
def age(app):
    """Edits the row of a person's session, as if time had passed: `age(jane, expires_at=PAST)`."""

    def edit(person, **moments):
        with app.app_context():
            actions = [getattr(Session, name).set(moment) for name, moment in moments.items()]
            Session.get(person.id, person.session_id).update(actions)

    return edit


class TestClock:
    def test_idle(self, jane, age):
        """A session that was not used for too long is dead though its row is there (ASVS 7.3.1)."""
        age(jane, expires_at=PAST)

        assert outcome(jane.get("/v1/users/me")) == REFUSED

    def test_absolute(self, jane, age):
        """A session that was used all the time ends in the end (ASVS 7.3.2)."""
        age(jane, ends_at=PAST)

        assert outcome(jane.get("/v1/users/me")) == REFUSED

    def test_no_use_revives_it(self, jane, age):
        """Trying a dead token does not extend it."""
        age(jane, expires_at=PAST, last_used_at=PAST - timedelta(days=7))
        jane.get("/v1/users/me")

        assert outcome(jane.get("/v1/users/me")) == REFUSED

    def test_use_extends(self, jane, age):
        """Using a session moves its end: idle counts from the last use."""
        age(
            jane,
            last_used_at=datetime.now(UTC) - timedelta(days=6),
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )

        (row,) = jane.get("/v1/sessions").json["items"]

        left = datetime.fromisoformat(row["expires_at"]) - datetime.now(UTC)
        assert left > timedelta(days=6, hours=23)

    def test_use_does_not_extend_beyond_the_absolute_end(self, jane, age):
        """However often it is used, a session never outlives its absolute end."""
        end = datetime.now(UTC) + timedelta(hours=1)
        age(jane, last_used_at=datetime.now(UTC) - timedelta(days=1), ends_at=end)

        (row,) = jane.get("/v1/sessions").json["items"]

        assert datetime.fromisoformat(row["expires_at"]) <= end

    def test_dead_sessions_are_not_listed(self, jane, age, elsewhere):
        """A list shows where one is signed in, not where one was."""
        age(jane, expires_at=PAST)
        phone = elsewhere(jane)

        rows = phone.get("/v1/sessions").json["items"]

        assert [row["id"] for row in rows] == [phone.session_id]

    def test_lifetimes_are_settings(self, make_app, jane):
        """A session never lasts longer than either setting says."""
        short = make_app(session_idle=timedelta(hours=2), session_max=timedelta(hours=1))

        answer = short.test_client().post(
            "/v1/sessions", json={"login": "jane", "password": jane.password}
        )

        left = datetime.fromisoformat(answer.json["expires_at"]) - datetime.now(UTC)
        assert timedelta(minutes=59) < left <= timedelta(hours=1)


class TestRowIsGone:
    def test_user_is_gone(self, app, jane):
        """A session without its user signs nobody in."""
        with app.app_context():
            User.get(jane.id).delete()

        assert outcome(jane.get("/v1/users/me")) == REFUSED

    def test_older_epoch(self, jane, alter):
        """A session of before the user's sessions were ended is dead though its row is there."""
        alter(jane, session_epoch=2)

        assert outcome(jane.get("/v1/users/me")) == REFUSED


class TestNoToken:
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
        """Anything but the very token after `Bearer` is a 401 that says how to authenticate."""
        response = jane.client.get(
            "/v1/users/me", headers={"Authorization": header.replace("{}", jane.token)}
        )

        assert outcome(response) == REFUSED
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_scheme_has_no_case(self, jane, scheme):
        """The scheme may be written in any case (RFC 9110, 11.1)."""
        response = jane.client.get(
            "/v1/users/me", headers={"Authorization": f"{scheme} {jane.token}"}
        )

        assert response.status_code == 200

    @pytest.mark.parametrize("at", [4, 20, 30, 40, 57])
    def test_one_character_is_changed(self, jane, at):
        """A token with one other character, be it the last, is no token."""
        other = {"A": "B"}.get(jane.token[at], "A")
        tampered = jane.token[:at] + other + jane.token[at + 1 :]

        response = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {tampered}"})

        assert outcome(response) == REFUSED

    def test_tokens_are_told_by_case(self, jane):
        """A token counts to the letter."""
        response = jane.client.get(
            "/v1/users/me", headers={"Authorization": f"Bearer {jane.token.swapcase()}"}
        )

        assert outcome(response) == REFUSED

    def test_id_of_one_random_of_another(self, jane, eve):
        """The part that names the user cannot be put before another user's secret."""
        spliced = jane.token[:24] + eve.token[24:]

        response = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {spliced}"})

        assert outcome(response) == REFUSED

    @pytest.mark.parametrize("parameter", ["access_token", "token", "Authorization"])
    def test_not_in_the_url(self, jane, parameter):
        """A token in a URL is ignored: URLs end up in logs (ASVS 14.2.1)."""
        response = jane.client.get(f"/v1/users/me?{parameter}={jane.token}")

        assert outcome(response) == REFUSED

    def test_challenge_without_a_token(self, client):
        """Who sent nothing is told the scheme and no error (RFC 6750, 3.1)."""
        assert client.get("/v1/users/me").headers["WWW-Authenticate"] == "Bearer"

    def test_challenge_for_a_bad_token(self, client):
        """Who sent a bad token is told so (RFC 6750, 3.1)."""
        response = client.get("/v1/users/me", headers={"Authorization": "Bearer rst_x"})

        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
