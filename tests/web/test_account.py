"""The pages of an account: what its user can change, and what needs the password again."""

import json
import re
import time
from datetime import timedelta
from urllib.parse import urljoin

import pytest
from markupsafe import escape

from models import ApiKey, EmailKind, Session, User
from models.clock import now
from tests.support.authenticator import Authenticator
from tests.support.page_client import PageClient, errors_of, fields_of, form_of, location
from tests.support.person import NEW_PASSWORD, PASSWORD

PAGES = [
    "/account",
    "/account/email",
    "/account/password",
    "/account/second-factor",
    "/account/sessions",
    "/account/api-keys",
    "/account/activity",
    "/account/data",
]
SCRIPT = "<script>alert(1)</script>"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
HREF = re.compile(r'href="([^"#]+)"')
INLINE = re.compile(r"<script(?! type=\"module\" src=)|<style| style=| on\w+=")


@pytest.fixture
def browser(janes_browser):
    """Return a browser in which jane is signed in."""
    return janes_browser


@pytest.fixture
def age(app, jane):
    """Return a function that makes every authentication of jane an old one."""

    def make_old():
        with app.app_context():
            for row in Session.query(jane.id):
                row.update([Session.authenticated_at.set(now() - timedelta(hours=1))])

    return make_old


@pytest.fixture
def confirm(browser):
    """Return a function that fills in the page which asks for the password, and sends it."""

    def send(page, path, **fields):
        form = form_of(page, "confirm_password")
        return browser.post(path, {**form, "confirm_password": PASSWORD, **fields})

    return send


def read(app, jane):
    """Return jane as stored."""
    with app.app_context():
        return User.get(jane.id)


class TestPages:
    @pytest.mark.parametrize("path", PAGES)
    def test_opens(self, browser, path):
        """The user opens each page, and nothing of it is inline or cached."""
        page = browser.get(path)

        assert page.status_code == 200, page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert (
            re.findall(r"<script(?! type=\"module\" src=)|<style| style=| on\w+=", page.text) == []
        )

    @pytest.mark.parametrize("path", PAGES)
    def test_anonymous(self, app, path):
        """Without a session each page leads to sign-in and back."""
        assert location(PageClient(app).get(path)) == f"/sign-in?next={path}"

    @pytest.mark.parametrize("path", PAGES)
    def test_links(self, browser, path):
        """All links of the page lead to pages that exist."""
        links = {urljoin(path, link) for link in HREF.findall(browser.get(path).text)}
        statuses = {link: browser.get(link, buffered=True).status_code for link in links}

        assert {link for link, status in statuses.items() if status != 200} == set()

    @pytest.mark.parametrize("path", [path for path in PAGES if path != "/account/activity"])
    def test_unknown_action(self, browser, path):
        """A form that names no action is rejected with a page."""
        response = browser.send(path, do="nothing")

        assert response.status_code in (400, 422)
        assert response.mimetype == "text/html"


class TestProfile:
    def test_name(self, app, browser, jane):
        """The name is saved."""
        response = browser.send("/account", do="profile", full_name="Jane Doe")

        assert location(response) == "/account"
        assert "Your profile is saved." in browser.get("/account").text
        assert read(app, jane).full_name == "Jane Doe"

    def test_name_is_removed(self, app, browser, jane):
        """An empty name is none."""
        browser.send("/account", do="profile", full_name="Jane Doe")
        browser.send("/account", do="profile", full_name="")

        assert read(app, jane).full_name is None

    def test_fields_of_the_service(self, browser, john, jane):
        """The user reads what the service has stored, and no form of the page changes it."""
        managed = {"external_id": "crm-1042", "app_metadata": {"plan": SCRIPT}}
        assert john.patch(jane.path, json=managed).status_code == 200
        page = browser.get("/account")

        assert "<bdi>crm-1042</bdi>" in page.text
        assert str(escape(json.dumps(managed["app_metadata"], indent=2))) in page.text
        assert SCRIPT not in page.text
        assert fields_of(page).keys().isdisjoint(managed)

    def test_no_fields_of_the_service(self, browser):
        """Without such fields the page says nothing of them."""
        text = browser.get("/account").text

        assert ("External ID" in text, "App metadata" in text) == (False, False)

    def test_fields_of_the_service_in_a_form(self, app, browser, jane):
        """A form that sends them changes nothing of them."""
        browser.send("/account", do="profile", external_id="x", app_metadata='{"plan": "pro"}')
        user = read(app, jane)

        assert (user.external_id, user.app_metadata) == (None, None)

    def test_hostile_name(self, browser):
        """A script in a name is text."""
        browser.send("/account", do="profile", full_name=SCRIPT)
        page = browser.get("/account")

        assert SCRIPT not in page.text
        assert fields_of(page)["full_name"]["value"] == SCRIPT

    def test_language(self, app, browser, jane):
        """The language is one of ours, and the next page is in it."""
        response = browser.send("/account", do="language", locale="de")

        assert location(response) == "/account"
        assert "Ihre Sprache ist gespeichert." in browser.get("/account").text
        assert read(app, jane).locale == "de"

    def test_language_of_the_browser(self, app, browser, jane):
        """Without a language, that of the browser is shown."""
        browser.send("/account", do="language", locale="de")
        browser.send("/account", do="language", locale="")

        assert "Your language is saved." in browser.get("/account").text
        assert read(app, jane).locale is None

    def test_languages_by_their_names(self, browser):
        """The languages are listed by their own names, and marked as in that language."""
        text = browser.get("/account").text

        assert re.findall(r'<option lang="(\w+)" value="\w+">([^<]+)<', text) == [
            ("en", "English"),
            ("de", "Deutsch"),
            ("es", "Español"),
            ("fr", "Français"),
        ]

    @pytest.mark.parametrize(
        "locale, label", [("de-CH", "Deutsch (de-CH)"), ("pt-BR", "pt-BR"), ("de", "Deutsch")]
    )
    def test_language_of_another_program(self, app, browser, jane, locale, label):
        """A stored language that is none of ours is offered, and stays if it is chosen."""
        jane.patch("/v1/users/me", json={"locale": locale})
        chosen = re.findall(r"<option[^>]* selected [^>]*>([^<]+)<", browser.get("/account").text)
        browser.send("/account", do="language", locale=locale)

        assert chosen == [label]
        assert read(app, jane).locale == locale

    @pytest.mark.parametrize("locale", ["pt-BR", "DE", "xx", SCRIPT, "../de"])
    def test_other_languages(self, app, browser, jane, locale):
        """A language that is not offered is rejected at its field."""
        response = browser.send("/account", do="language", locale=locale)

        assert response.status_code == 422
        assert errors_of(response)["locale"] == "Choose one of the languages."
        assert read(app, jane).locale is None

    def test_form_without_a_language(self, app, browser, jane):
        """A form without the field, as that of an older template, changes nothing."""
        browser.send("/account", do="language", locale="de")
        browser.send("/account", do="language")

        assert read(app, jane).locale == "de"

    def test_hidden_characters(self, browser):
        """Characters that change the direction of text are rejected at the field."""
        response = browser.send("/account", do="profile", full_name="Jane \u202egnp")

        assert "full_name" in errors_of(response)

    def test_username(self, app, browser, jane):
        """The username is changed."""
        browser.send("/account", do="username", username="Jane.Doe")

        assert read(app, jane).username == "jane.doe"

    def test_taken_username(self, browser, eve):
        """A username of another user is rejected at the field, and kept."""
        response = browser.send("/account", do="username", username="eve")

        assert response.status_code == 409
        assert errors_of(response)["username"].startswith("The username is already in use")
        assert fields_of(response)["username"]["value"] == "eve"

    def test_reserved_username(self, browser):
        """A reserved username is rejected."""
        assert "username" in errors_of(browser.send("/account", do="username", username="admin"))


class TestRecentAuthentication:
    def test_asks_in_place(self, app, browser, jane, age, confirm):
        """A change that needs recent authentication asks for the password, and is then made."""
        age()
        step = browser.send("/account", do="username", username="jane-2")
        unchanged = read(app, jane).username
        response = confirm(step, "/account")

        assert step.status_code == 403
        assert unchanged == "jane"
        assert form_of(step, "confirm_password")["username"] == "jane-2"
        assert location(response) == "/account"
        assert read(app, jane).username == "jane-2"

    def test_session_is_renewed(self, browser, age, confirm):
        """ASVS 7.2.4: the password begins a new session, and the old one ends."""
        age()
        before = browser.cookie()
        confirm(browser.send("/account", do="username", username="jane-2"), "/account")

        assert browser.cookie() != before
        assert browser.get("/account").status_code == 200

    def test_wrong_password(self, app, browser, jane, age, confirm):
        """A wrong password changes nothing, and what was typed is still kept."""
        age()
        step = browser.send("/account", do="username", username="jane-2")
        response = confirm(step, "/account", confirm_password="a wrong password")

        assert response.status_code == 422
        assert errors_of(response)["confirm_password"].startswith("This is not the password")
        assert form_of(response, "confirm_password")["username"] == "jane-2"
        assert read(app, jane).username == "jane"

    def test_page_that_needs_it(self, browser, age, confirm):
        """A page with passwords asks before it is filled in, and then shows its form."""
        age()
        step = browser.get("/account/password")
        response = confirm(step, "/account/password")

        assert "current_password" not in fields_of(step)
        assert location(response) == "/account/password"
        assert "current_password" in fields_of(browser.get("/account/password"))

    def test_passwords_are_not_kept(self, browser, age):
        """No password that was typed is written into the page."""
        age()
        response = browser.send(
            "/account/password",
            at="/account",
            current_password=PASSWORD,
            new_password=NEW_PASSWORD,
        )

        assert response.status_code == 403
        assert PASSWORD not in response.text
        assert NEW_PASSWORD not in response.text


class TestExpiredSession:
    @pytest.fixture
    def expire(self, app, jane):
        """Return a function that ends every session of jane."""

        def end():
            with app.app_context():
                for row in Session.query(jane.id):
                    row.delete()

        return end

    def test_nothing_typed_is_lost(self, app, browser, jane, expire, confirm):
        """A form whose session has expired asks to sign in, and is then carried out."""
        page = browser.get("/account")
        expire()
        token = browser.token_of(page)
        step = browser.post(
            "/account", {"csrf_token": token, "do": "profile", "full_name": "Jane Doe"}
        )
        response = confirm(step, "/account", confirm_login="jane")

        assert step.status_code == 403
        assert "Your session has ended" in step.text
        assert location(response) == "/account"
        assert read(app, jane).full_name == "Jane Doe"

    def test_another_user(self, app, browser, jane, eve, expire, confirm):
        """If another user signs in, the form of the first one changes nothing."""
        page = browser.get("/account")
        expire()
        token = browser.token_of(page)
        step = browser.post(
            "/account", {"csrf_token": token, "do": "profile", "full_name": "Jane Doe"}
        )
        response = confirm(step, "/account", confirm_login="eve")

        assert response.status_code == 403
        assert (read(app, jane).full_name, read(app, eve).full_name) == (None, None)

    def test_login_is_required(self, browser, expire, confirm):
        """Without the login nothing is tried, and what was typed is still kept."""
        page = browser.get("/account")
        expire()
        form = {"csrf_token": browser.token_of(page), "do": "profile", "full_name": "Jane Doe"}
        step = browser.post("/account", form)
        response = confirm(step, "/account")

        assert errors_of(response)["confirm_login"] == "Fill in this field."
        assert form_of(response, "confirm_password")["full_name"] == "Jane Doe"

    def test_two_tabs(self, app, browser, jane, eve):
        """Two tabs with two users: the form of the first user is rejected."""
        page = browser.get("/account")
        browser.send("/sign-out")
        browser.sign_in("eve", PASSWORD)
        response = browser.post(
            "/account",
            {"csrf_token": browser.token_of(page), "do": "profile", "full_name": "Jane Doe"},
        )

        assert response.status_code == 403
        assert "Nothing was changed" in response.text
        assert (read(app, jane).full_name, read(app, eve).full_name) == (None, None)


class TestPassword:
    def test_change(self, app, browser, jane):
        """The password is changed, and other sessions end."""
        response = browser.send(
            "/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD
        )

        assert location(response) == "/account/password"
        assert "Your password is changed" in browser.get("/account/password").text
        assert jane.get("/v1/users/me").status_code == 401
        assert PageClient(app).sign_in("jane", NEW_PASSWORD).cookie()

    def test_wrong(self, browser):
        """A wrong current password is rejected at its field."""
        response = browser.send(
            "/account/password", current_password="a wrong one", new_password=NEW_PASSWORD
        )

        assert errors_of(response)["current_password"] == "The current password is wrong."

    def test_weak(self, browser):
        """A weak new password is rejected at its field; the rules were there before."""
        page = browser.get("/account/password")
        response = browser.send(
            "/account/password", current_password=PASSWORD, new_password="short"
        )

        assert "At least 15 characters" in page.text
        assert "at least 15 characters" in errors_of(response)["new_password"]

    def test_well_known(self, app):
        """Password managers find the page, also without a session."""
        response = PageClient(app).get("/.well-known/change-password")

        assert location(response) == "/account/password"


class TestSessions:
    @pytest.fixture
    def sign_in_with(self, client, jane):
        """Return a function that signs jane in by a program with a name."""
        body = {"login": "jane", "password": PASSWORD}
        return lambda name: client.post("/v1/sessions", json=body, headers={"User-Agent": name})

    def test_list(self, browser):
        """The sessions are listed, and this one is marked."""
        text = browser.get("/account/sessions").text

        assert text.count('name="session"') == 2
        assert text.count("this browser") == 1

    def test_end_one(self, browser, jane):
        """One session ends, and this one stays."""
        response = browser.send("/account/sessions", do="end", session=jane.session_id)

        assert location(response) == "/account/sessions"
        assert jane.get("/v1/users/me").status_code == 401
        assert browser.get("/account").status_code == 200

    def test_end_all(self, browser, jane):
        """All sessions end, and the browser is signed out."""
        response = browser.send("/account/sessions", do="end-all")

        assert location(response) == "/sign-in"
        assert jane.get("/v1/users/me").status_code == 401
        assert browser.cookie() is None

    @pytest.mark.parametrize("id", ["", "x", "0" * 64, SCRIPT])
    def test_unknown(self, browser, id):
        """A session that has ended meanwhile is ended."""
        assert (
            location(browser.send("/account/sessions", do="end", session=id)) == "/account/sessions"
        )

    def test_of_another_user(self, browser, eve):
        """ASVS 8.2.2: the ID of another user's session ends nothing."""
        browser.send("/account/sessions", do="end", session=eve.session_id)

        assert eve.get("/v1/users/me").status_code == 200

    @pytest.mark.parametrize("user_agent", [SCRIPT, f'x"{SCRIPT}', f"Mozilla/5.0 {SCRIPT}"])
    def test_hostile_user_agent(self, browser, sign_in_with, user_agent):
        """The name of a browser is shown as text, and so is what it sends."""
        sign_in_with(user_agent)
        text = browser.get("/account/sessions").text

        assert SCRIPT not in text
        assert f'title="{escape(user_agent)}"><bdi>{escape(user_agent)}</bdi>' in text

    def test_name_of_the_browser(self, browser, sign_in_with):
        """A session has the name of its browser, and in the title what it sends."""
        sign_in_with(FIREFOX)
        text = browser.get("/account/sessions").text

        assert f'title="{FIREFOX}"><bdi>Firefox on Windows</bdi>' in text
        assert 'aria-label="End: Firefox on Windows"' in text


class TestSecondFactor:
    @pytest.fixture
    def phone(self, browser):
        """Set up a second factor; return the authenticator that shows its codes."""
        page = browser.send("/account/second-factor", do="enroll")
        [secret] = re.findall(r'class="secret">([A-Z2-7 ]+)<', page.text)
        found = Authenticator(secret.replace(" ", ""), time.time)
        form = form_of(page, "otp")
        answer = browser.post("/account/second-factor", {**form, "otp": found.code(-1)})
        assert answer.status_code == 200, answer.text
        return found

    def test_qr_code(self, browser):
        """The page has a QR code that scales, and the key to type."""
        page = browser.send("/account/second-factor", do="enroll")

        assert re.search(r'<svg [^>]*viewBox="', page.text)
        assert page.headers["Cache-Control"] == "no-store"

    def test_name_of_the_qr_code(self, browser):
        """A screen reader names the QR code in the language of the user."""
        browser.send("/account", do="language", locale="de")

        page = browser.send("/account/second-factor", do="enroll")
        assert "<title>QR-Code für eine Authenticator-App</title>" in page.text

    def test_recovery_codes(self, browser):
        """The first code enables it, and the recovery codes are shown once."""
        page = browser.send("/account/second-factor", do="enroll")
        [secret] = re.findall(r'class="secret">([A-Z2-7 ]+)<', page.text)
        code = Authenticator(secret.replace(" ", ""), time.time).code()
        answer = browser.post("/account/second-factor", {**form_of(page, "otp"), "otp": code})
        [codes] = re.findall(r'class="codes">([^<]+)<', answer.text)

        assert len(codes.split()) == 10
        assert codes.split()[0] not in browser.get("/account/second-factor").text

    def test_wrong_code(self, browser):
        """A wrong code can be corrected."""
        page = browser.send("/account/second-factor", do="enroll")
        form = form_of(page, "otp")
        response = browser.post("/account/second-factor", {**form, "otp": "000000"})

        assert response.status_code == 422
        assert "otp" in errors_of(response)

    def test_signing_in_needs_it(self, app, phone):
        """From then on, signing in has a second step."""
        response = PageClient(app).send("/sign-in", login="jane", password=PASSWORD)

        assert location(response) == "/sign-in/code"

    def test_renew_codes(self, browser, phone):
        """New recovery codes are shown."""
        page = browser.send("/account/second-factor", do="renew")

        assert "codes" in page.text
        assert "10" in browser.get("/account/second-factor").text

    def test_disable(self, app, browser, jane, phone):
        """It is turned off."""
        response = browser.send("/account/second-factor", do="disable")

        assert location(response) == "/account/second-factor"
        assert not read(app, jane).has_second_factor

    def test_disable_needs_a_code(self, app, browser, jane, phone, age, confirm):
        """An old session has to present the password and a code to turn it off."""
        age()
        step = browser.send("/account/second-factor", do="disable")
        without = confirm(step, "/account/second-factor")
        enabled = read(app, jane).has_second_factor
        response = confirm(step, "/account/second-factor", confirm_otp=phone.code())

        assert "confirm_otp" in fields_of(step)
        assert without.status_code == 422
        assert enabled
        assert location(response) == "/account/second-factor"


class TestApiKeys:
    def test_create(self, browser, jane):
        """The key is shown once, and works."""
        answer = browser.send(
            "/account/api-keys", do="create", name="nightly", expires_in_days="30", roles="user"
        )
        [key] = re.findall(r"rsk_[A-Za-z0-9_-]+", answer.text)
        me = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {key}"})
        page = browser.get("/account/api-keys").text

        assert me.status_code == 200
        assert "nightly" in page
        assert key not in page

    def test_faults(self, browser):
        """All rejected fields are named."""
        response = browser.send(
            "/account/api-keys", do="create", name="", expires_in_days="0", roles="admin"
        )

        assert errors_of(response).keys() >= {"name", "expires_in_days", "roles"}

    def test_admin_role(self, app, browser, jane):
        """ASVS 8.2.3: a role that the user lacks cannot be chosen."""
        browser.send(
            "/account/api-keys", do="create", name="x", expires_in_days="30", roles="admin"
        )
        with app.app_context():
            keys = list(ApiKey.query(jane.id))

        assert keys == []

    def test_revoke(self, app, browser, jane):
        """A key is revoked."""
        jane.post(f"{jane.path}/api-keys", json={"name": "nightly"})
        form = form_of(browser.get("/account/api-keys"), "key")
        [key_id] = re.findall(
            r'name="key" value="([0-9a-f]+)"', browser.get("/account/api-keys").text
        )
        response = browser.send("/account/api-keys", do="revoke", key=key_id)

        assert form["csrf_token"]
        assert location(response) == "/account/api-keys"
        assert "You have no API keys." in browser.get("/account/api-keys").text

    def test_of_another_user(self, browser, eve):
        """ASVS 8.2.2: the ID of another user's key revokes nothing."""
        key = eve.post(f"{eve.path}/api-keys", json={"name": "nightly"}).json
        browser.send("/account/api-keys", do="revoke", key=key["id"])
        me = eve.client.get("/v1/users/me", headers={"Authorization": f"Bearer {key['key']}"})

        assert me.status_code == 200

    def test_hostile_name(self, browser, jane):
        """The name of a key is shown as text."""
        jane.post(f"{jane.path}/api-keys", json={"name": SCRIPT})

        assert SCRIPT not in browser.get("/account/api-keys").text


class TestActivity:
    def test_name_of_the_browser(self, browser, client, jane):
        """An event has the name of the browser, and in the title what it sends."""
        body = {"login": "jane", "password": "not her password"}
        client.post("/v1/sessions", json=body, headers={"User-Agent": FIREFOX})

        assert (
            f'title="{FIREFOX}"><bdi>Firefox on Windows</bdi>'
            in browser.get("/account/activity").text
        )

    def test_hostile_user_agent(self, browser, client, jane):
        """What a client calls itself is shown as text."""
        body = {"login": "jane", "password": "not her password"}
        client.post("/v1/sessions", json=body, headers={"User-Agent": f'x"{SCRIPT}'})

        assert SCRIPT not in browser.get("/account/activity").text

    def test_change_by_an_admin(self, browser, john, jane):
        """ASVS 15.3.1: the program of an admin is not shown to the user."""
        john.patch(jane.path, json={"full_name": "J"}, headers={"User-Agent": FIREFOX})

        assert "Firefox" not in browser.get("/account/activity").text

    def test_events(self, browser):
        """What happened is listed in words."""
        text = browser.get("/account/activity").text

        assert "Signed in" in text
        assert "Account created" in text

    def test_pages(self, browser):
        """A page has 25 events, and a link to older ones."""
        for number in range(30):
            browser.send("/account", do="profile", full_name=f"Jane {number}")
        first = browser.get("/account/activity")
        [cursor] = re.findall(r'activity\?cursor=([^"]+)" rel="next"', first.text)
        second = browser.get(f"/account/activity?cursor={cursor}")

        assert first.text.count("<tr") == 26
        assert "Account created" in second.text

    @pytest.mark.parametrize("cursor", ["x", "", SCRIPT, "x" * 9000])
    def test_forged_cursor(self, browser, cursor):
        """A cursor that was made up is rejected with a page."""
        response = browser.get("/account/activity", query_string={"cursor": cursor})

        assert (response.status_code, response.mimetype) == (400, "text/html")
        assert SCRIPT not in response.text


class TestData:
    def test_export(self, browser, jane):
        """The file has the stored data, and no secrets."""
        jane.post(f"{jane.path}/api-keys", json={"name": "nightly"})
        response = browser.send("/account/data", do="export")
        data = json.loads(response.text)

        assert response.headers["Content-Disposition"] == 'attachment; filename="account.json"'
        assert response.headers["Cache-Control"] == "no-store"
        assert data["user"]["email"] == "jane@example.com"
        assert data["api_keys"][0]["name"] == "nightly"
        assert len(data["sessions"]) == 2
        assert "user.registered" in [event["type"] for event in data["events"]]
        assert not re.search(r"argon2|rst_|rsk_|password_hash", response.text)

    def test_delete(self, app, browser, jane):
        """The account is deleted, and the browser signed out."""
        response = browser.send("/account/data", do="delete", username="jane")

        assert location(response) == "/sign-in"
        assert "Your account is deleted." in browser.get("/sign-in").text
        assert jane.get("/v1/users/me").status_code == 401

    def test_delete_by_mistake(self, browser, jane):
        """Without the username nothing is deleted."""
        response = browser.send("/account/data", do="delete", username="eve")

        assert errors_of(response)["username"] == "This is not your username."
        assert jane.get("/v1/users/me").status_code == 200

    def test_last_admin(self, app, john):
        """The last admin is not deleted, and the page says why."""
        browser = PageClient(app).sign_in("john", PASSWORD)
        response = browser.send("/account/data", do="delete", username="john")

        assert response.status_code == 409
        assert "last active admin" in errors_of(response)["form"]


class TestEmail:
    @pytest.fixture
    def client(self, email_app):
        """Return an anonymous client of a service that sends emails."""
        return email_app.test_client()

    @pytest.fixture
    def browser(self, email_app, jane):
        """Return a browser at a service that sends emails, in which jane is signed in."""
        return PageClient(email_app).sign_in("jane", PASSWORD)

    def test_pending(self, browser, jane, sent_emails):
        """A new address is pending until the link to it is opened."""
        response = browser.send("/account/email", do="change", email="new@example.com")
        page = browser.get("/account/email").text

        assert location(response) == "/account/email"
        assert "new@example.com" in page
        assert "jane@example.com" in page
        assert EmailKind.CONFIRM_EMAIL_CHANGE in [email.kind for email in sent_emails()]

    def test_confirm(self, browser, jane, sent_emails):
        """The link makes it the address of the account."""
        browser.send("/account/email", do="change", email="new@example.com")
        [token] = [e.token for e in sent_emails() if e.kind == EmailKind.CONFIRM_EMAIL_CHANGE]
        browser.send("/verify-email", token=token)

        assert jane.get("/v1/users/me").json["email"] == "new@example.com"

    def test_keep(self, email_app, browser, jane):
        """The pending address can be given up."""
        browser.send("/account/email", do="change", email="new@example.com")
        browser.send("/account/email", do="keep")

        assert "new@example.com" not in browser.get("/account/email").text
        assert read(email_app, jane).pending_email is None

    def test_taken(self, browser, eve):
        """ASVS 6.3.8: an address of another user gets the same response as a free one."""
        response = browser.send("/account/email", do="change", email="eve@example.com")

        assert location(response) == "/account/email"
        assert "eve@example.com" in browser.get("/account/email").text

    def test_verify(self, browser, jane, sent_emails):
        """A verification email can be requested."""
        response = browser.send("/account/email", do="verify")

        assert location(response) == "/account/email"
        assert EmailKind.VERIFY_EMAIL in [email.kind for email in sent_emails()]

    def test_second_factor_needs_it(self, browser):
        """Before that, neither a second factor nor a key can be set up."""
        factor = browser.get("/account/second-factor").text
        keys = browser.get("/account/api-keys").text
        forced = browser.send("/account/second-factor", do="enroll")

        assert "Verify your email address first." in factor
        assert "Verify your email address first." in keys
        assert forced.status_code == 403

    def test_rejected(self, browser):
        """A text that is no address is rejected at the field, and kept."""
        response = browser.send("/account/email", do="change", email="x")

        assert "email" in errors_of(response)
        assert fields_of(response)["email"]["value"] == "x"
