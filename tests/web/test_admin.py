"""The console: what admins see and change, and that no other user does."""

import html
import json
import re
import time
from datetime import timedelta
from html import unescape

import pytest

from models import EmailKind, SecondFactorRule, User
from tests.support.authenticator import Authenticator
from tests.support.page_client import OWN, PageClient, errors_of, fields_of, form_of, location
from tests.support.person import NEW_PASSWORD, PASSWORD
from tests.support.responses import ABSENT_ID

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
SCRIPT = "<script>alert(1)</script>"
CHANGES = [
    "unlock",
    "reset-password",
    "end-sessions",
    "revoke-keys",
    "disable-second-factor",
    "verify-email",
    "unverify-email",
    "suspend",
    "reactivate",
    "delete",
]


@pytest.fixture
def browser(app, john):
    """Return a browser in which john, an admin, is signed in."""
    return PageClient(app).sign_in("john", PASSWORD)


def rows_of(page):
    """Return the rows of the table in a page, without the filters above it."""
    return page.text.partition("<tbody>")[2]


def sessions_of(person):
    """Return the sessions of a user, as the API lists them."""
    return person.get("/v1/sessions").json["items"]


@pytest.fixture
def page_of_jane(jane):
    """Return the URL of jane's page."""
    return f"/admin/users/{jane.id}"


@pytest.fixture
def save(browser, page_of_jane):
    """Return a function that fills in the form of an action on jane's page, and sends it."""

    def send(do, page=None, **fields):
        page = page or browser.get(page_of_jane)
        version = re.findall(r'name="version" value="(\d+)"', page.text)[0]
        token = browser.token_of(page)
        form = {"csrf_token": token, "do": do, "version": version, **fields}
        return browser.post(page_of_jane, form)

    return send


@pytest.fixture
def stored(app, jane):
    """Return a function that returns jane as stored."""

    def read():
        with app.app_context():
            return User.get(jane.id)

    return read


class TestAccess:
    @pytest.mark.parametrize("path", ["/admin", "/admin/users/new", "/admin/events"])
    def test_admin(self, browser, path):
        """An admin opens each page."""
        page = browser.get(path)

        assert page.status_code == 200, page.text
        assert page.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        "path",
        ["/admin", "/admin/users/new", "/admin/events", "/admin/users/{id}"]
        + [f"/admin/users/{{id}}/{change}" for change in CHANGES],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_regular_user(self, app, jane, eve, path, method, snapshot):
        """ASVS 8.2.1: another user opens none, and sends no form."""
        browser = PageClient(app).sign_in("eve", PASSWORD)
        token = browser.token_of(browser.get("/account"))
        before = snapshot()
        form = {"data": {"csrf_token": token}, "headers": OWN} if method == "POST" else {}
        response = browser.http.open(path.format(id=jane.id), method=method, **form)

        assert response.status_code == 403
        assert snapshot() == before

    @pytest.mark.parametrize("path", ["/admin", "/admin/users/x", "/admin/events"])
    def test_anonymous(self, app, path):
        """Without a session each page leads to sign-in and back."""
        assert location(PageClient(app).get(path)) == f"/sign-in?next={path}"

    def test_second_factor_required(self, make_app, john):
        """Where admins need a second factor, the console does."""
        service = make_app(second_factor=SecondFactorRule.ADMINS)
        browser = PageClient(service).sign_in("john", PASSWORD)

        assert browser.get("/admin").status_code == 403
        assert browser.get("/account").status_code == 200

    @pytest.mark.parametrize("id", ["x", ABSENT_ID, "0" * 64, "%3Cscript%3E"])
    def test_unknown_user(self, browser, id):
        """An ID of no user is not found."""
        assert browser.get(f"/admin/users/{id}").status_code == 404

    def test_way_back(self, browser):
        """The page that says so leads back to the users."""
        assert 'href="../../admin"' in browser.get(f"/admin/users/{ABSENT_ID}").text

    def test_unknown_change(self, browser, page_of_jane):
        """A change that does not exist is not found."""
        assert browser.get(f"{page_of_jane}/promote").status_code == 404

    def test_link(self, browser, janes_browser):
        """Only admins see the link to the console."""
        assert "Console" in browser.get("/account").text
        assert "Console" not in janes_browser.get("/account").text


class TestUsers:
    def test_table(self, browser, jane, eve):
        """The newest users are at the top."""
        text = browser.get("/admin").text

        assert re.findall(r">(\w+)</a>", text)[-3:] == ["eve", "jane", "john"]

    @pytest.mark.parametrize("q", ["jane", "JANE", "jane@example.com", " jane ", "{id}"])
    def test_look_up(self, browser, jane, eve, q):
        """A user is found by the exact username, address or ID."""
        text = browser.get("/admin", query_string={"q": q.format(id=jane.id)}).text

        assert ">jane<" in text
        assert ">eve<" not in text

    @pytest.mark.parametrize("q", ["nobody@example.com", ABSENT_ID, SCRIPT, "x" * 5000])
    def test_not_found(self, browser, q):
        """What is no user is said so, and shown as text."""
        page = browser.get("/admin", query_string={"q": q})

        assert page.status_code == 200
        assert "No user has a name" in page.text
        assert SCRIPT not in page.text

    @pytest.mark.parametrize("q", ["j", "é", "\u202e%"])
    def test_too_short(self, browser, q):
        """A text of one character is not searched, and the page says so."""
        page = browser.get("/admin", query_string={"q": q})

        assert page.status_code == 200
        assert "Enter at least two characters." in page.text

    @pytest.mark.parametrize(
        ("query", "found"),
        [("q=ja", ["jane", "janet"]), ("q=ja&role=support", ["janet"]), ("q=gra", ["jane"])],
    )
    def test_search(self, browser, register, jane, query, found):
        """Users are found by the beginning of a name, together with the filters."""
        jane.patch("/v1/users/me", json={"full_name": "Jane Gräbe"})
        register("janet", roles=["support"])

        assert (
            re.findall(r'users/[0-9a-f-]+">(\w+)</a>', browser.get(f"/admin?{query}").text) == found
        )

    def test_pages_of_a_search(self, browser, register):
        """The pages of a search keep the text."""
        for number in range(26):
            register(f"user-{number:02}")
        first = browser.get("/admin?q=user")
        [following] = re.findall(r'href="([^"]+)" rel="next"', first.text)
        second = browser.get(f"/{unescape(following)}")

        assert first.text.count('scope="row"') == 25
        assert second.text.count('scope="row"') == 1
        assert ">user-25<" in second.text
        assert 'value="user"' in second.text

    def test_search_is_off(self, make_app, john, jane):
        """With the search off, users are found by the whole username, address or ID."""
        browser = PageClient(make_app(search=False)).sign_in("john", PASSWORD)

        assert ">jane<" in browser.get("/admin?q=jane").text
        assert "No user has exactly this" in browser.get("/admin?q=jan").text

    def test_user_without_rows(self, make_app, browser):
        """A user that is not in the index of the search yet is found by the whole username."""
        other = make_app(search=False)
        with other.app_context():
            other.extensions["roster"].accounts.register(
                username="old", email="old@example.com", password=PASSWORD
            )

        assert ">old<" in browser.get("/admin?q=old").text

    def test_filters(self, app, browser, jane, eve):
        """The list is filtered by status and role."""
        jane.client.patch(
            jane.path,
            json={"status": "suspended"},
            headers={"Authorization": f"Bearer {browser.cookie()}"},
        )
        suspended = browser.get("/admin?status=suspended").text
        admins = browser.get("/admin?role=admin").text

        assert (">jane<" in suspended, ">eve<" in suspended) == (True, False)
        assert (">john</a>" in admins, ">eve</a>" in admins) == (True, False)

    def test_pages(self, browser, register):
        """A page has 25 users, and a link to older ones that can be shared."""
        for number in range(26):
            register(f"user-{number:02}")
        first = browser.get("/admin")
        [cursor] = re.findall(r'admin\?cursor=([^"]+)" rel="next"', first.text)
        second = browser.get(f"/admin?cursor={cursor}")

        assert first.text.count('scope="row"') == 25
        assert ">user-00<" in second.text

    def test_forged_cursor(self, browser):
        """A cursor that was made up is rejected with a page."""
        assert browser.get("/admin?cursor=x").status_code == 400

    def test_cost(self, app, browser, john, database_calls):
        """A page costs the database what the list of the API costs."""
        with database_calls() as of_page:
            browser.get("/admin")
        with database_calls() as of_api:
            john.get("/v1/users")

        assert sorted(of_page) == sorted(of_api)

    def test_hostile_name(self, browser, jane):
        """Names of users are shown as text."""
        jane.patch(jane.path, json={"full_name": SCRIPT})

        assert SCRIPT not in browser.get("/admin").text


class TestUser:
    def test_page(self, browser, jane, page_of_jane):
        """The page shows the account, its sessions and its keys."""
        jane.post(f"{jane.path}/api-keys", json={"name": SCRIPT})
        text = browser.get(page_of_jane).text

        assert "jane@example.com" in text
        assert "a browser" in text
        assert SCRIPT not in text

    def test_name_of_the_browser(self, browser, client, jane, page_of_jane):
        """A session has the name of its browser, and in the title what it sends."""
        body = {"login": "jane", "password": PASSWORD}
        client.post("/v1/sessions", json=body, headers={"User-Agent": FIREFOX})

        assert f'title="{FIREFOX}"><bdi>Firefox on Windows</bdi>' in browser.get(page_of_jane).text

    def test_fields(self, save, stored):
        """The fields are saved."""
        response = save("fields", username="jane-2", email="jane@example.org", full_name="Jane")

        assert location(response).startswith("/admin/users/")
        assert (stored().username, stored().email) == ("jane-2", "jane@example.org")
        assert stored().full_name == "Jane"

    def test_language(self, save, stored):
        """The language is saved, and a form without it leaves it as it is."""
        save("fields", username="jane", email="jane@example.com", locale="fr")
        first = stored().locale
        save("fields", username="jane", email="jane@example.com", full_name="Jane")

        assert (first, stored().locale) == ("fr", "fr")

    def test_language_of_the_reader(self, browser, jane, page_of_jane):
        """The page of a user is in the language of the admin."""
        jane.patch(jane.path, json={"locale": "fr"})

        assert '<html lang="en">' in browser.get(page_of_jane).text

    def test_every_fault(self, save):
        """All faulty fields are named, and what was typed is kept."""
        response = save("fields", username="a b", email="x", full_name="\u202e")

        assert errors_of(response).keys() >= {"username", "full_name"}
        assert fields_of(response)["username"]["value"] == "a b"

    def test_changed_meanwhile(self, browser, save, page_of_jane, jane, stored):
        """What another one has changed meanwhile is not overwritten."""
        page = browser.get(page_of_jane)
        jane.patch(jane.path, json={"full_name": "Jane Doe"})
        response = save("fields", page, username="jane", email="jane@example.com", full_name="X")

        assert response.status_code == 412
        assert "has changed" in errors_of(response)["form"]
        assert stored().full_name == "Jane Doe"

    def test_roles(self, save, stored):
        """Roles are saved."""
        save("roles", roles=["user", "admin"])

        assert sorted(stored().roles) == ["admin", "user"]

    def test_unknown_role(self, save, stored):
        """A role that does not exist is rejected."""
        assert save("roles", roles=["root"]).status_code == 422
        assert stored().roles == ["user"]

    def test_metadata(self, save, stored):
        """The metadata is replaced."""
        save("metadata", metadata='{"plan": "pro", "seats": 3}')

        assert stored().metadata == {"plan": "pro", "seats": 3}

    @pytest.mark.parametrize(
        "text", ["x", "[]", "null", '{"a": 1, "a": 2}', '{"a": NaN}', "{" * 500, '{"a": "\\u0000"}']
    )
    def test_invalid_metadata(self, save, stored, text):
        """Metadata that is no JSON object is rejected at the field, and kept."""
        response = save("metadata", metadata=text)

        assert "metadata" in errors_of(response)
        assert stored().metadata == {}

    def test_reason(self, save):
        """The reason says where it is no JSON, and does not repeat itself."""
        text = errors_of(save("metadata", metadata="{"))["metadata"]

        assert text.startswith("It is no JSON object: Expecting property name")

    def test_large_metadata(self, save):
        """Metadata above 4 KB is rejected at the field."""
        response = save("metadata", metadata='{"a": "' + "x" * 5000 + '"}')

        assert "4096" in errors_of(response)["metadata"]

    def test_app_metadata(self, save, stored):
        """The metadata of the service is replaced, and those of the user stay."""
        save("metadata", metadata='{"theme": "dark"}')
        save("app-metadata", app_metadata='{"plan": "pro"}')

        assert stored().app_metadata == {"plan": "pro"}
        assert stored().metadata == {"theme": "dark"}

    @pytest.mark.parametrize("text", ["x", "[]", '{"a": "' + "x" * 5000 + '"}'])
    def test_invalid_app_metadata(self, save, stored, text):
        """What is no JSON object up to 4 KB is rejected at the field, and nothing is stored."""
        response = save("app-metadata", app_metadata=text)

        assert "app_metadata" in errors_of(response)
        assert stored().app_metadata is None

    def test_schema(self, make_app, tmp_path, john, page_of_jane):
        """What does not match the operator's schema is named by its place, all of it at once."""
        path = tmp_path / "schema.json"
        rules = {"plan": {"enum": ["free", "pro"]}, "seats": {"minimum": 1}}
        path.write_text(json.dumps({"properties": {"app_metadata": {"properties": rules}}}))
        browser = PageClient(make_app(metadata_schema=path)).sign_in("john", PASSWORD)
        form = {**form_of(browser.get(page_of_jane), "app_metadata"), "do": "app-metadata"}
        response = browser.post(page_of_jane, {**form, "app_metadata": '{"plan": 1, "seats": 0}'})

        assert html.unescape(errors_of(response)["app_metadata"]) == (
            '/plan: It is not one of "free" or "pro". /seats: It is less than the minimum of 1.'
        )

    def test_external_id(self, save, stored):
        """It is saved, kept by a form without it, and removed by an empty one."""
        fields = {"username": "jane", "email": "jane@example.com"}
        found = []
        for changed in ({"external_id": "crm-1"}, {}, {"external_id": ""}):
            save("fields", **fields, **changed)
            found.append(stored().external_id)

        assert found == ["crm-1", "crm-1", None]

    def test_taken_external_id(self, john, save, stored):
        """That of another user is rejected at the field."""
        john.patch(john.path, json={"external_id": "crm-1"})
        fields = {"username": "jane", "email": "jane@example.com", "external_id": "crm-1"}
        response = save("fields", **fields)

        assert errors_of(response)["external_id"] == "Another user has this external ID."
        assert stored().external_id is None


class TestChanges:
    @pytest.mark.parametrize("change", CHANGES)
    def test_is_confirmed(self, browser, page_of_jane, change, snapshot):
        """Opening the page says what happens, and changes nothing."""
        before = snapshot()
        page = browser.get(f"{page_of_jane}/{change}")

        assert page.status_code == 200
        assert "jane@example.com" in page.text
        assert snapshot() == before

    def test_suspend_and_reactivate(self, browser, jane, page_of_jane, stored):
        """A user is suspended, loses the sessions, and is reactivated."""
        suspended = browser.send(f"{page_of_jane}/suspend")
        status = stored().status
        access = jane.get("/v1/users/me").status_code
        browser.send(f"{page_of_jane}/reactivate")

        assert location(suspended) == page_of_jane
        assert (status, access) == ("suspended", 401)
        assert stored().status == "active"

    def test_end_sessions(self, browser, jane, page_of_jane):
        """All sessions of the user end."""
        browser.send(f"{page_of_jane}/end-sessions")

        assert jane.get("/v1/users/me").status_code == 401

    def test_end_one_session(self, browser, jane, page_of_jane):
        """One session of the user ends, and another one stays."""
        here = PageClient(browser.http.application).sign_in("jane", PASSWORD)
        [other] = [row for row in sessions_of(jane) if not row["current"]]
        response = browser.send(page_of_jane, do="end-session", session=other["id"])

        assert location(response) == page_of_jane
        assert "The session has ended." in browser.get(page_of_jane).text
        assert here.get("/account").status_code == 303
        assert jane.get("/v1/users/me").status_code == 200

    def test_revoke_one_key(self, browser, jane, page_of_jane):
        """One API key of the user is revoked, and another one stays."""
        first, second = (
            jane.post(f"{jane.path}/api-keys", json={"name": name}).json for name in ("a", "b")
        )
        response = browser.send(page_of_jane, do="revoke-key", key=first["id"])
        left = jane.get(f"{jane.path}/api-keys").json["items"]

        assert location(response) == page_of_jane
        assert "The API key is revoked." in browser.get(page_of_jane).text
        assert [row["id"] for row in left] == [second["id"]]

    @pytest.mark.parametrize("action", ["end-session", "revoke-key"])
    @pytest.mark.parametrize("id", ["", "x", "f" * 64, "\x00", "<b>"])
    def test_no_such_row(self, browser, page_of_jane, action, id):
        """What has ended already is a success without effect."""
        response = browser.send(page_of_jane, do=action, session=id, key=id)

        assert location(response) == page_of_jane

    def test_session_of_another_user(self, browser, jane, eve, page_of_jane):
        """The page of one user ends no session of another one."""
        [session] = sessions_of(eve)
        browser.send(page_of_jane, do="end-session", session=session["id"])

        assert eve.get("/v1/users/me").status_code == 200

    def test_revoke_keys(self, browser, jane, page_of_jane):
        """All API keys of the user are revoked."""
        key = jane.post(f"{jane.path}/api-keys", json={"name": "nightly"}).json["key"]
        browser.send(f"{page_of_jane}/revoke-keys")
        me = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {key}"})

        assert me.status_code == 401

    def test_disable_second_factor(self, browser, jane, page_of_jane, stored):
        """The second factor of a user without the phone is turned off."""
        secret = jane.post(f"{jane.path}/second-factor").json["secret"]
        code = Authenticator(secret, time.time).code()
        jane.post(f"{jane.path}/second-factor/confirm", json={"otp": code})
        browser.send(f"{page_of_jane}/disable-second-factor")

        assert not stored().has_second_factor

    def test_verify_email(self, browser, page_of_jane, stored):
        """The address that the page shows is marked as verified."""
        page = browser.get(f"{page_of_jane}/verify-email")
        [version] = re.findall(r'name="version" value="(\d+)"', page.text)
        form = {"csrf_token": browser.token_of(page), "version": version}
        response = browser.post(f"{page_of_jane}/verify-email", form)

        assert location(response) == page_of_jane
        assert stored().email_verified

    def test_unverify_email(self, browser, john, jane, page_of_jane, stored):
        """An address that is verified can be marked as not verified."""
        john.patch(jane.path, json={"email_verified": True})
        page = browser.get(f"{page_of_jane}/unverify-email")
        form = form_of(page, "version")
        response = browser.post(f"{page_of_jane}/unverify-email", form)

        assert location(response) == page_of_jane
        assert stored().email_verified is False

    @pytest.mark.parametrize("is_verified, offered", [(True, "unverify"), (False, "verify")])
    def test_offered_verification(self, browser, john, jane, page_of_jane, is_verified, offered):
        """The page of a user offers the one of both that would change something."""
        john.patch(jane.path, json={"email_verified": is_verified})
        page = browser.get(page_of_jane)

        assert re.findall('/([a-z]+)-email"', page.text) == [offered]

    @pytest.mark.parametrize("version", [{}, {"version": ""}, {"version": "1"}, {"version": "x"}])
    def test_verify_another_email(self, browser, jane, page_of_jane, stored, version):
        """An address that the page has not shown stays as it is."""
        page = browser.get(f"{page_of_jane}/verify-email")
        jane.patch(jane.path, json={"email": "other@example.com"})
        form = {"csrf_token": browser.token_of(page), **version}
        response = browser.post(f"{page_of_jane}/verify-email", form)

        assert response.status_code == 412
        assert not stored().email_verified

    def test_unlock(self, browser, page_of_jane, jane):
        """A lockout is ended, and recorded with the admin as the actor."""
        response = browser.send(f"{page_of_jane}/unlock")

        assert location(response) == page_of_jane
        assert "user.unlocked" in jane.get(f"{jane.path}/events").text

    def test_delete(self, browser, jane, page_of_jane):
        """The user is deleted."""
        response = browser.send(f"{page_of_jane}/delete")

        assert location(response) == "/admin"
        assert browser.get(page_of_jane).status_code == 404

    def test_twice(self, browser, jane, page_of_jane):
        """A double click deletes once, and the second response says that the user is gone."""
        page = browser.get(f"{page_of_jane}/delete")
        form = {"csrf_token": browser.token_of(page)}
        browser.post(f"{page_of_jane}/delete", form)

        assert browser.post(f"{page_of_jane}/delete", form).status_code == 404

    @pytest.mark.parametrize("change", ["suspend", "delete"])
    def test_last_admin(self, browser, john, change):
        """The last admin stays, and the page says why."""
        response = browser.send(f"/admin/users/{john.id}/{change}")

        assert response.status_code == 409
        assert "last active admin" in errors_of(response)["form"]

    def test_reset(self, email_app, john, jane, sent_emails):
        """A password reset is emailed to the user."""
        browser = PageClient(email_app).sign_in("john", PASSWORD)
        response = browser.send(f"/admin/users/{jane.id}/reset-password")

        assert location(response) == f"/admin/users/{jane.id}"
        assert EmailKind.RESET_PASSWORD in [email.kind for email in sent_emails()]

    def test_no_email_configured(self, browser, page_of_jane):
        """A service without emails says so."""
        response = browser.send(f"{page_of_jane}/reset-password")

        assert response.status_code == 501


class TestNewUser:
    FIELDS = {"username": "ada", "email": "ada@example.com", "roles": "user", "status": "active"}

    def test_password(self, app, browser):
        """A user with a password can sign in."""
        response = browser.send("/admin/users/new", **self.FIELDS, password=NEW_PASSWORD)

        assert location(response).startswith("/admin/users/")
        assert PageClient(app).sign_in("ada", NEW_PASSWORD).cookie()

    def test_language(self, app, browser):
        """A new user has the language that the admin chooses, and by default none."""
        browser.send("/admin/users/new", **self.FIELDS, password=NEW_PASSWORD, locale="de")
        rosa = {**self.FIELDS, "username": "rosa", "email": "rosa@example.com"}
        browser.send("/admin/users/new", **rosa, password=NEW_PASSWORD)

        with app.app_context():
            accounts = app.extensions["roster"].accounts
            assert [accounts.find(name).locale for name in ("ada", "rosa")] == ["de", None]

    def test_invitation(self, email_app, john, sent_emails):
        """Without a password, the user gets a link to choose one, and can sign in then."""
        browser = PageClient(email_app).sign_in("john", PASSWORD)
        browser.send("/admin/users/new", **self.FIELDS)
        [token] = [e.token for e in sent_emails() if e.kind == EmailKind.RESET_PASSWORD]
        other = PageClient(email_app)
        response = other.send("/reset-password", token=token, new_password=NEW_PASSWORD)

        assert location(response) == "/account"

    def test_every_fault(self, browser):
        """All faulty fields are named together."""
        response = browser.send("/admin/users/new", username="a b", email="x", status="deleted")

        assert errors_of(response).keys() >= {"username", "email", "password", "status"}

    def test_taken(self, browser, jane):
        """Names of other users are rejected at both fields."""
        fields = {**self.FIELDS, "username": "jane", "email": "jane@example.com"}
        response = browser.send("/admin/users/new", **fields, password=NEW_PASSWORD)

        assert errors_of(response).keys() >= {"username", "email"}


class TestEvents:
    def test_of_a_user(self, browser, jane):
        """The events of a user are found by the username."""
        text = browser.get("/admin/events?user=jane").text

        assert "Account created" in text
        assert "Signed in" in text

    def test_of_an_actor(self, browser, jane, page_of_jane):
        """What an admin did to another user is found by the actor and the user."""
        browser.send(f"{page_of_jane}/suspend")
        text = rows_of(browser.get(f"/admin/events?actor=john&user={jane.id}"))

        assert "Account suspended" in text
        assert "Account created" not in text

    def test_of_a_deleted_user(self, browser, jane, page_of_jane):
        """The events of a deleted user are found by the ID."""
        browser.send(f"{page_of_jane}/delete")

        assert "Account deleted" in rows_of(browser.get(f"/admin/events?user={jane.id}"))

    def test_type(self, browser, jane):
        """Events are filtered by type."""
        text = rows_of(browser.get("/admin/events?user=jane&type=session.opened"))

        assert "Signed in" in text
        assert "Account created" not in text

    @pytest.mark.parametrize("user", ["nobody", SCRIPT, "\x00", "x" * 5000])
    def test_unknown(self, browser, user):
        """A user who does not exist is said so at the field."""
        page = browser.get("/admin/events", query_string={"user": user})

        assert page.status_code == 200
        assert errors_of(page) == {"user": "There is no such user."}
        assert SCRIPT not in page.text


class TestRecentAuthentication:
    def test_asks_in_place(self, make_app, john, jane):
        """A change asks for the password if the last one is old, and is then carried out."""
        service = make_app(recent_auth=timedelta(0))
        browser = PageClient(service).sign_in("john", PASSWORD)
        step = browser.send(f"/admin/users/{jane.id}/suspend")

        assert step.status_code == 403
        assert "confirm_password" in form_of(step, "confirm_password")
