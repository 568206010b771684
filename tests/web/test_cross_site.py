"""Requests that other sites make a browser send, and forms that are too old (ASVS 3.5.1, 3.5.3)."""

import re

import pytest

from tests.support.page_client import FORM_COOKIE, PageClient
from tests.support.person import PASSWORD

PAGES = [
    "/sign-in",
    "/sign-in/code",
    "/sign-up",
    "/sign-out",
    "/forgot-password",
    "/verify-email",
    "/reset-password",
]
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": None, "Origin": "http://localhost.evil.example"},
    {"Sec-Fetch-Site": None, "Origin": "http://localhost:81"},
    {"Sec-Fetch-Site": None, "Origin": "https://localhost"},
    {"Sec-Fetch-Site": None, "Origin": "null"},
    {"Sec-Fetch-Site": None, "Origin": ""},
]
SIGN_IN = {"login": "jane", "password": PASSWORD}


class TestOrigin:
    @pytest.mark.parametrize("headers", FOREIGN, ids=str)
    def test_foreign(self, browser, jane, headers):
        """A form of another site does not sign in, even with a token."""
        token = browser.token_of(browser.get("/sign-in"))
        response = browser.post("/sign-in", {"csrf_token": token, **SIGN_IN}, headers=headers)

        assert response.status_code == 403
        assert "Another site has sent this form" in response.text
        assert browser.cookie() is None

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": None},
            {"Sec-Fetch-Site": None, "Origin": None},
            {"Sec-Fetch-Site": None, "Origin": "http://127.0.0.1:8080"},
        ],
        ids=str,
    )
    def test_own(self, browser, jane, headers):
        """Our own form is accepted, also from browsers without fetch metadata."""
        token = browser.token_of(browser.get("/sign-in"))
        response = browser.post("/sign-in", {"csrf_token": token, **SIGN_IN}, headers=headers)

        assert response.status_code == 303

    @pytest.mark.parametrize("path", PAGES)
    def test_every_form(self, tableless_browser, path):
        """No form accepts a request of another site."""
        headers = {"Sec-Fetch-Site": "cross-site"}

        assert tableless_browser.post(path, {}, headers=headers).status_code == 403


class TestToken:
    @pytest.mark.parametrize("path", PAGES)
    @pytest.mark.parametrize("token", [None, "", "x", "IngiI.aaaa.bbbb", "\x00", "x" * 9000])
    def test_missing_or_forged(self, tableless_browser, path, token):
        """No form is accepted without the token of this browser."""
        tableless_browser.get("/sign-in")
        response = tableless_browser.post(path, {"csrf_token": token} if token is not None else {})

        assert response.status_code == 403
        assert "Nothing was changed" in response.text

    def test_of_another_browser(self, app, browser, jane):
        """The token of an attacker's own browser is none in that of a victim."""
        attacker = PageClient(app)
        token = attacker.token_of(attacker.get("/sign-in"))
        browser.get("/sign-in")
        response = browser.post("/sign-in", {"csrf_token": token, **SIGN_IN})

        assert response.status_code == 403

    def test_in_json(self, browser, jane):
        """A body of another type has no token."""
        browser.get("/sign-in")
        response = browser.http.post("/sign-in", json=SIGN_IN)

        assert response.status_code == 403

    def test_forged_cookie(self, browser, jane):
        """The cookie of forms is signed: a made-up one has no token."""
        browser.set_cookie("eyJjc3JmX3Rva2VuIjoieCJ9.aaaaaa.bbbb", FORM_COOKIE)
        response = browser.post("/sign-in", {"csrf_token": "x", **SIGN_IN})

        assert response.status_code == 403

    def test_of_the_user_before(self, app, janes_browser, eve):
        """A form that was opened as one user has no effect for the next one."""
        page = janes_browser.get("/sign-out")
        form = {"csrf_token": janes_browser.token_of(page)}
        janes_browser.send("/sign-out")
        janes_browser.sign_in("eve", PASSWORD)
        response = janes_browser.post("/sign-out", form)

        assert response.status_code == 403
        assert "eve@example.com" in janes_browser.get("/account").text

    def test_session_of_another_user(self, app, janes_browser, eve):
        """Cookies of two users at once, as after an attack, send no form."""
        page = janes_browser.get("/sign-out")
        janes_browser.set_cookie(eve.token)
        response = janes_browser.post(
            "/verify-email", {"csrf_token": janes_browser.token_of(page), "token": "rso_x"}
        )

        assert response.status_code == 403


class TestApi:
    def test_cookie_is_not_read(self, app, jane, janes_browser):
        """Every operation of the API responds to the cookie as to an anonymous request."""
        routes = [
            (method, re.sub("<[^>]+>", jane.id, rule.rule))
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/v1")
            for method in rule.methods - {"OPTIONS", "HEAD"}
        ]
        cookie = {"Cookie": f"__Host-roster={janes_browser.cookie()}"}
        client = app.test_client(use_cookies=False)
        sent = {
            (method, path): client.open(path, method=method, headers=cookie).status_code
            for method, path in routes
        }
        not_sent = {
            (method, path): client.open(path, method=method).status_code for method, path in routes
        }

        assert sent == not_sent
        assert sent["GET", "/v1/sessions"] == sent["GET", f"/v1/users/{jane.id}"] == 401

    def test_no_cookie_is_set(self, app, janes_browser):
        """A response of the API sets no cookie, and does not depend on one."""
        response = janes_browser.get("/health/live")

        assert "Set-Cookie" not in response.headers
        assert "Cookie" not in response.headers.get("Vary", "")
