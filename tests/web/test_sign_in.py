"""Sign in, and sign out, by the pages."""

import time
from io import BytesIO

import pytest
from flask.testing import FlaskClient

from models import EventType
from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.authenticator import Authenticator
from tests.support.page_client import (
    DEVICE_COOKIE,
    FORM_COOKIE,
    SESSION_COOKIE,
    PageClient,
    errors_of,
    fields_of,
    location,
)
from tests.support.person import NEW_PASSWORD, PASSWORD
from web.links import MAX_LENGTH

WRONG = "not the password of jane"


@pytest.fixture
def lock_out(app):
    """Return a function that locks an account by failed attempts from other browsers."""

    def guess(login):
        other = PageClient(app)
        for _ in range(FREE_ATTEMPTS):
            assert other.send("/sign-in", login=login, password=WRONG).status_code == 422

    return guess


@pytest.fixture
def phone(jane):
    """Enroll a second factor for jane; return her authenticator, which shows the next code."""
    secret = jane.post(f"{jane.path}/second-factor").json["secret"]
    found = Authenticator(secret, time.time)
    confirmation = {"otp": found.code(-1)}
    answer = jane.post(f"{jane.path}/second-factor/confirm", json=confirmation)
    assert answer.status_code == 200, answer.json
    return found


class TestForm:
    def test_attributes(self, tableless_browser):
        """Password managers fill in the form, and no browser truncates a password."""
        fields = fields_of(tableless_browser.get("/sign-in"))

        assert fields["login"]["autocomplete"] == "username"
        assert fields["password"]["autocomplete"] == "current-password"
        assert fields["password"]["type"] == "password"
        assert "maxlength" not in fields["password"]

    def test_focus(self, tableless_browser):
        """The first field has the focus."""
        assert "autofocus" in fields_of(tableless_browser.get("/sign-in"))["login"]

    def test_all_faults(self, tableless_browser):
        """An empty form is rejected with an error at each field, and the first has the focus."""
        response = tableless_browser.send("/sign-in")
        fields = fields_of(response)

        assert response.status_code == 422
        assert errors_of(response).keys() == {"form", "login", "password"}
        assert fields["login"]["aria-invalid"] == fields["password"]["aria-invalid"] == "true"
        assert fields["password"]["aria-describedby"] == "password-error"
        assert "autofocus" in fields["login"]
        assert "<title>Error: Sign in" in response.text


class TestSignIn:
    def test_account(self, browser, jane):
        """A correct password leads to the account."""
        response = browser.send("/sign-in", login="jane", password=PASSWORD)

        assert location(response) == "/account"
        assert "jane@example.com" in browser.get("/account").text

    def test_session_is_listed(self, janes_browser, jane):
        """The session is one like those of the API, and authenticates it as a header."""
        token = janes_browser.cookie()
        answer = jane.client.get("/v1/sessions", headers={"Authorization": f"Bearer {token}"})

        assert [each["current"] for each in answer.json["items"]] == [True, False]

    def test_event(self, janes_browser, jane):
        """Audit events are those of the API."""
        events = jane.get(f"{jane.path}/events").json["items"]

        assert events[0]["type"] == EventType.SESSION_OPENED

    @pytest.mark.parametrize("login", ["jane", "no-such-user"])
    def test_wrong(self, browser, jane, login):
        """ASVS 6.3.8: the page is the same for a wrong password and an unknown user."""
        response = browser.send("/sign-in", login=login, password=WRONG)

        assert response.status_code == 422
        assert errors_of(response) == {"form": "The login or the password is wrong."}
        assert browser.cookie() is None

    def test_typed_login_is_kept(self, browser, jane):
        """What was typed is kept, except the password."""
        response = browser.send("/sign-in", login="jane", password=WRONG)

        assert fields_of(response)["login"]["value"] == "jane"
        assert WRONG not in response.text

    def test_lockout(self, browser, jane, lock_out):
        """After several wrong passwords the page says how long to wait."""
        lock_out("jane")
        response = browser.send("/sign-in", login="jane", password=PASSWORD)

        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0
        assert "Try again in" in errors_of(response)["form"]

    def test_known_device(self, janes_browser, lock_out):
        """Failed attempts of others do not lock out a browser that has signed in before."""
        janes_browser.send("/sign-out")
        lock_out("jane")
        response = janes_browser.send("/sign-in", login="jane", password=PASSWORD)

        assert location(response) == "/account"

    def test_no_fixation(self, app, jane, janes_browser):
        """CVE-2022-38054: signing in gives a new session, whatever the cookie was before."""
        before = janes_browser.cookie()
        other = PageClient(app)
        other.set_cookie("rst_chosen_by_another_person")
        other.sign_in("jane", PASSWORD)

        assert other.cookie() not in (before, "rst_chosen_by_another_person")

    def test_ends_the_session_before(self, janes_browser, jane, eve):
        """ASVS 7.2.4: signing in again, as any user, ends the session that the browser had."""
        token = janes_browser.cookie()
        form = janes_browser.token_of(janes_browser.get("/sign-out"))
        credentials = {"login": "eve", "password": PASSWORD}
        janes_browser.post("/sign-in", {"csrf_token": form, **credentials})
        answer = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"})

        assert answer.status_code == 401
        assert "eve@example.com" in janes_browser.get("/account").text

    def test_file_instead_of_text(self, browser, jane):
        """A file in the place of a text is no text."""
        token = browser.token_of(browser.get("/sign-in"))
        form = {"csrf_token": token, "login": (BytesIO(b"jane"), "login"), "password": PASSWORD}

        assert errors_of(browser.post("/sign-in", form)).keys() == {"form", "login"}

    def test_signed_in_already(self, janes_browser):
        """A signed-in user is redirected at once."""
        assert location(janes_browser.get("/sign-in")) == "/account"


class TestSecondFactor:
    def test_code(self, browser, phone):
        """The second step asks for a code, and signs in with it."""
        step = browser.send("/sign-in", login="jane", password=PASSWORD, next="/account/email")
        fields = fields_of(browser.get("/sign-in/code"))
        response = browser.send("/sign-in/code", otp=phone.code())

        assert location(step) == "/sign-in/code"
        assert fields["otp"]["autocomplete"] == "one-time-code"
        assert location(response) == "/account/email"
        assert browser.get("/account").status_code == 200

    def test_no_access_between(self, browser, phone):
        """CVE-2024-45042: after the first step the browser has no access."""
        browser.send("/sign-in", login="jane", password=PASSWORD)

        assert browser.cookie() is None
        assert location(browser.get("/account")).startswith("/sign-in")

    def test_no_secret_between(self, browser, phone):
        """Neither the password nor its hash is kept between the steps."""
        response = browser.send("/sign-in", login="jane", password=PASSWORD)

        assert PASSWORD not in str(response.headers) + response.text
        assert "argon2" not in str(response.headers)

    def test_wrong_code(self, browser, phone):
        """A wrong code can be corrected."""
        browser.send("/sign-in", login="jane", password=PASSWORD)
        response = browser.send("/sign-in/code", otp="000000")

        assert response.status_code == 422
        assert errors_of(response)["otp"].startswith("The code is wrong")
        assert location(browser.send("/sign-in/code", otp=phone.code())) == "/account"

    def test_without_the_first_step(self, browser, phone):
        """The code alone does not sign in."""
        token = browser.token_of(browser.get("/sign-in"))
        response = browser.post("/sign-in/code", {"csrf_token": token, "otp": phone.code()})

        assert location(response) == "/sign-in"
        assert browser.cookie() is None

    def test_password_changed_between(self, browser, jane, phone):
        """A password that was replaced meanwhile does not sign in."""
        browser.send("/sign-in", login="jane", password=PASSWORD)
        change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert jane.put("/v1/users/me/password", json=change).status_code == 204
        response = browser.send("/sign-in/code", otp=phone.code())

        assert location(response) == "/sign-in"
        assert browser.cookie() is None

    def test_another_browser(self, app, browser, phone):
        """The first step in one browser is none in another."""
        browser.send("/sign-in", login="jane", password=PASSWORD)

        assert location(PageClient(app).get("/sign-in/code")) == "/sign-in"

    def test_time_is_over(self, browser, phone, monkeypatch):
        """Five minutes after the password it has to be entered again."""
        browser.send("/sign-in", login="jane", password=PASSWORD)
        monkeypatch.setattr(time, "time", lambda now=time.time: now() + 301)

        assert location(browser.get("/sign-in/code")) == "/sign-in"


class TestCookies:
    @pytest.mark.parametrize("name", [SESSION_COOKIE, DEVICE_COOKIE])
    def test_attributes(self, browser, jane, name):
        """ASVS 3.3.1, 3.3.2, 3.3.4: the cookies are bound to this host, TLS and navigation."""
        response = browser.send("/sign-in", login="jane", password=PASSWORD)
        [cookie] = [each for each in response.headers.getlist("Set-Cookie") if f"{name}=" in each]

        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie

    def test_local_mode(self, make_app, jane):
        """Over plain HTTP, where browsers reject the prefix, the cookies have other names."""
        browser = PageClient(make_app(is_local=True)).sign_in("jane", PASSWORD)

        assert browser.cookie("roster-local").startswith("rst_")
        assert browser.cookie() is None

    @pytest.mark.parametrize(
        "value", ["", "x", "rst_", "rst_x", "rsk_x", "\u00e9", "x" * 5000, "rst_" + "A" * 5000]
    )
    def test_forged(self, app, value):
        """A cookie that is no token of a session is none, and is removed."""
        cookie = f"{SESSION_COOKIE}={value}".encode().decode("latin1")
        client = FlaskClient(app, app.response_class, use_cookies=False)
        response = client.get("/account", headers={"Cookie": cookie})

        assert location(response).startswith("/sign-in?next=")
        assert f"{SESSION_COOKIE}=; Expires=Thu, 01 Jan 1970" in str(response.headers)

    @pytest.mark.parametrize("name", [SESSION_COOKIE, DEVICE_COOKIE, FORM_COOKIE])
    def test_large(self, app, name):
        """A cookie above 4 KB, which no browser keeps, is ignored: the page gives a form."""
        client = FlaskClient(app, app.response_class, use_cookies=False)
        response = client.get("/sign-in", headers={"Cookie": f"{name}={'x' * 9000}"})

        assert response.status_code == 200
        assert fields_of(response)["csrf_token"]["value"]

    def test_size(self, make_app, jane, phone):
        """Between the steps the longest page to go on to is kept, in less than 4 KB."""
        app_url = "https://app.example.com"
        browser = PageClient(make_app(app_urls=(app_url,)))
        next = app_url + "/" + "a" * (MAX_LENGTH - len(app_url) - 1)
        response = browser.send("/sign-in", login="jane", password=PASSWORD, next=next)
        sizes = [len(cookie) for cookie in response.headers.getlist("Set-Cookie")]
        end = browser.send("/sign-in/code", otp=phone.code())

        assert max(sizes) < 4096
        assert location(end) == next

    def test_api_key(self, browser, jane):
        """An API key in the cookie gives no access."""
        key = jane.post(f"{jane.path}/api-keys", json={"name": "nightly"}).json["key"]
        browser.set_cookie(key)

        assert location(browser.get("/account")).startswith("/sign-in?next=")


class TestSignOut:
    def test_session_ends(self, janes_browser, jane):
        """CVE-2024-34709: the session ends in the service, not only in the browser."""
        token = janes_browser.cookie()
        response = janes_browser.send("/sign-out")
        answer = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"})

        assert location(response) == "/sign-in"
        assert answer.status_code == 401
        assert janes_browser.cookie() is None

    def test_clear_site_data(self, janes_browser):
        """The browser deletes the pages and their storage."""
        response = janes_browser.send("/sign-out")

        assert response.headers["Clear-Site-Data"] == '"cache", "storage"'

    def test_link_does_not_sign_out(self, janes_browser):
        """A link shows a button only."""
        page = janes_browser.get("/sign-out")

        assert page.status_code == 200
        assert janes_browser.get("/account").status_code == 200

    def test_twice(self, janes_browser):
        """A second request, as of a double click, finds the user signed out."""
        page = janes_browser.get("/sign-out")
        form = {"csrf_token": janes_browser.token_of(page)}
        first = janes_browser.post("/sign-out", form)
        second = janes_browser.post("/sign-out", form)

        assert (first.status_code, second.status_code) == (303, 403)

    def test_back_button(self, janes_browser):
        """After signing out, no page of the account can be opened or shown again."""
        page = janes_browser.get("/account")
        janes_browser.send("/sign-out")

        assert page.headers["Cache-Control"] == "no-store"
        assert location(janes_browser.get("/account")).startswith("/sign-in")


class TestNewPassword:
    def test_ends_browser_sessions(self, janes_browser, jane):
        """CVE-2023-40273: a new password ends the sessions of other browsers."""
        change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert jane.put("/v1/users/me/password", json=change).status_code == 204

        assert location(janes_browser.get("/account")).startswith("/sign-in")
