"""The check of a new password while it is typed."""

import pytest

from models import RateLimit
from roster.config import LimitSettings
from tests.support.page_client import PageClient
from tests.support.person import PASSWORD

PATH = "/password-check"


@pytest.fixture
def check(tableless_browser):
    """Return a function that checks a password, as the script of the sign-up page does."""
    token = tableless_browser.token_of(tableless_browser.get("/sign-up"))

    def send(**fields):
        return tableless_browser.post(PATH, {"csrf_token": token, **fields})

    return send


class TestVerdict:
    def test_good(self, check):
        """A password that obeys the rules is accepted."""
        response = check(password=PASSWORD)

        assert response.json == {"accepted": True, "text": "This password satisfies the rules."}
        assert response.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        "password, reason",
        [
            ("", "at least 15 characters"),
            ("short", "at least 15 characters"),
            ("x" * 5000, "at most 1024 characters"),
            ("correct horse battery staple", "data breaches"),
            ("qwertyuiop12345", "adjacent keys"),
        ],
    )
    def test_rejected(self, check, password, reason):
        """The reason is that of the form."""
        verdict = check(password=password).json

        assert verdict["accepted"] is False
        assert reason in verdict["text"]

    @pytest.mark.parametrize("field", ["username", "email", "full_name"])
    def test_context(self, check, field):
        """The other fields of the form count."""
        fields = {field: "lantern-maker"}

        assert check(password="lantern-maker-2026").json["accepted"] is True
        assert check(password="lantern-maker-2026", **fields).json["accepted"] is False

    def test_hostile_context(self, check):
        """A field that is far too long is no failure."""
        assert check(password=PASSWORD, full_name="x" * 60_000).status_code == 200

    def test_is_not_logged(self, check, caplog):
        """ASVS 16.2.5: the password is in no log."""
        caplog.set_level("DEBUG")
        check(password="a secret that is typed")

        assert "a secret that is typed" not in caplog.text


class TestAccess:
    def test_no_token(self, tableless_browser):
        """Only our own pages can ask."""
        assert tableless_browser.post(PATH, {"password": "x"}).status_code == 403

    def test_other_site(self, tableless_browser):
        """Another site cannot ask, even with a token."""
        token = tableless_browser.token_of(tableless_browser.get("/sign-up"))
        headers = {"Sec-Fetch-Site": "cross-site"}
        response = tableless_browser.post(PATH, {"csrf_token": token}, headers=headers)

        assert response.status_code == 403

    def test_in_a_url(self, tableless_browser):
        """ASVS 14.2.1: a password is never in a URL."""
        assert tableless_browser.get(f"{PATH}?password=x").status_code == 405

    def test_limit(self, make_app):
        """A client has a bounded number of checks."""
        limits = LimitSettings(writes=RateLimit("writes", quota=2, window=86_400))
        browser = PageClient(make_app(rate_limits=True, limits=limits))
        form = {"csrf_token": browser.token_of(browser.get("/sign-up")), "password": "short"}
        statuses = [browser.post(PATH, form).status_code for _ in range(5)]

        assert statuses[0] == 200
        assert statuses[-1] == 429


class TestPages:
    @pytest.mark.parametrize("path", ["/sign-up", "/reset-password"])
    def test_new_password(self, tableless_browser, path):
        """Fields for new passwords have the check."""
        assert 'data-check="password-check?language=en"' in tableless_browser.get(path).text

    def test_current_password(self, tableless_browser):
        """A current password is sent with its form only."""
        assert "data-check" not in tableless_browser.get("/sign-in").text
