"""The pages of clients in the console: create, show, change, replace secrets, delete."""

import re
from datetime import timedelta

import pytest

from models import OAuthClient, Session
from models.clock import now
from tests.support.page_client import OWN, PageClient, errors_of, fields_of, form_of, location
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID

SCRIPT = "<script>alert(1)</script>"
URI = "https://billing.example.com"
CHANGES = ["add-secret", "disable", "enable", "delete"]
PATHS = ["", "/new", "/{id}", "/{id}/secrets/{secret}"] + [f"/{{id}}/{name}" for name in CHANGES]


@pytest.fixture
def browser(app, john):
    """Return a browser in which john, an admin, is signed in."""
    return PageClient(app).sign_in("john", PASSWORD)


@pytest.fixture
def billing(john):
    """Return a client as the API has created it."""
    body = {"name": "billing", "scopes": ["introspect"], "audience": URI}
    return john.post("/v1/clients", json=body).json


@pytest.fixture
def page_of_billing(billing):
    """Return the URL of the page of the client."""
    return f"/admin/clients/{billing['id']}"


@pytest.fixture
def stored(app):
    """Return a function that returns the only client as stored."""

    def read():
        with app.app_context():
            [client] = OAuthClient.scan()
        return client

    return read


@pytest.fixture
def accepts(client):
    """Return a function that returns whether a secret authenticates."""

    def introspect(secret):
        headers = {"Authorization": f"Bearer {secret}"}
        response = client.post("/oauth/introspect", data={"token": "x"}, headers=headers)
        return response.status_code != 401

    return introspect


def secret_in(page):
    """Return the secret that a page shows."""
    [secret] = re.findall(r'<pre id="secret">(rsc_[^<]+)</pre>', page.text)
    return secret


def send_twice(browser, path, **fields):
    """Fill in the form of a page, and send it twice, as a double click does."""
    page = browser.get(path)
    form = {**form_of(page, "request_id"), **fields}
    return [browser.post(path, form) for _ in range(2)]


class TestAccess:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_regular_user(self, app, eve, billing, path, method, snapshot):
        """ASVS 8.2.1: a user who is no admin opens none of the pages, and sends no form."""
        browser = PageClient(app).sign_in("eve", PASSWORD)
        token = browser.token_of(browser.get("/account"))
        before = snapshot()
        form = {"data": {"csrf_token": token}, "headers": OWN} if method == "POST" else {}
        url = path.format(id=billing["id"], secret=billing["secrets"][0]["id"])
        response = browser.http.open(f"/admin/clients{url}", method=method, **form)

        assert response.status_code == 403
        assert snapshot() == before

    @pytest.mark.parametrize("path", ["/admin/clients", "/admin/clients/new", "/admin/clients/x"])
    def test_anonymous(self, app, path):
        """Without a session each page leads to sign-in and back."""
        assert location(PageClient(app).get(path)) == f"/sign-in?next={path}"

    @pytest.mark.parametrize("path", PATHS)
    def test_other_site(self, browser, billing, path, snapshot):
        """A form that another site sends has no effect."""
        before = snapshot()
        url = path.format(id=billing["id"], secret=billing["secrets"][0]["id"])
        form = {"csrf_token": browser.token_of(browser.get("/admin/clients/new")), "name": "x"}
        response = browser.post(
            f"/admin/clients{url}", form, headers={"Sec-Fetch-Site": "cross-site"}
        )

        assert response.status_code == 403
        assert snapshot() == before

    @pytest.mark.parametrize("id", ["x", ABSENT_ID, "0" * 64, "%3Cscript%3E"])
    @pytest.mark.parametrize("end", ["", "/delete", "/add-secret", f"/secrets/{ABSENT_ID}"])
    def test_unknown(self, browser, id, end):
        """An ID of no client is not found."""
        assert browser.get(f"/admin/clients/{id}{end}").status_code == 404

    def test_as_a_user(self, browser, billing):
        """Events link clients as they link users, and these links lead to the client."""
        response = browser.get(f"/admin/users/{billing['id']}")

        assert location(response) == f"/admin/clients/{billing['id']}"

    def test_id_of_a_user(self, browser, jane):
        """The ID of a user is not found."""
        assert browser.get(f"/admin/clients/{jane.id}").status_code == 404

    @pytest.mark.parametrize("end", ["/promote", "/secrets/x", f"/secrets/{ABSENT_ID}"])
    def test_unknown_change(self, browser, page_of_billing, end):
        """A change or a secret that does not exist is not found."""
        assert browser.get(f"{page_of_billing}{end}").status_code == 404

    def test_link(self, browser):
        """The navigation of the console leads to the clients."""
        assert 'href="admin/clients"' in browser.get("/admin").text


class TestList:
    def test_table(self, browser, billing, john):
        """The newest clients are at the top, with what they may do."""
        john.post("/v1/clients", json={"name": SCRIPT})
        text = browser.get("/admin/clients").text

        assert text.index("&lt;script&gt;") < text.index(">billing<")
        assert URI in text
        assert SCRIPT not in text

    def test_empty(self, browser):
        """Without clients the page says so, and leads to a new one."""
        text = browser.get("/admin/clients").text

        assert "There are no clients." in text
        assert "clients/new" in text

    def test_pages(self, browser, john):
        """A page has 25 clients, and a link to older ones that can be shared."""
        for number in range(26):
            john.post("/v1/clients", json={"name": f"client-{number:02}"})
        first = browser.get("/admin/clients")
        [cursor] = re.findall(r'clients\?cursor=([^"]+)" rel="next"', first.text)
        second = browser.get(f"/admin/clients?cursor={cursor}")

        assert first.text.count('scope="row"') == 25
        assert re.findall(r">(client-\d+)<", second.text) == ["client-00"]

    def test_forged_cursor(self, browser):
        """A cursor that was made up is rejected with a page."""
        assert browser.get("/admin/clients?cursor=x").status_code == 400


class TestCreate:
    def test_secret(self, browser, stored, accepts):
        """A client is created, and its secret is shown, which authenticates."""
        page = browser.send(
            "/admin/clients/new",
            request_id="r" * 32,
            name="billing",
            scopes=["introspect", "email"],
            audience=URI,
        )

        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store"
        assert stored().id in page.text
        assert (stored().name, stored().audience) == ("billing", URI)
        assert stored().scopes == ["email", "introspect"]
        assert accepts(secret_in(page))

    def test_shown_once(self, browser, stored, caplog):
        """The secret is on no other page, and in no log line."""
        [first, _] = send_twice(browser, "/admin/clients/new", name="billing")
        secret = secret_in(first)
        pages = [browser.get(f"/admin/clients{path}").text for path in ("", f"/{stored().id}")]

        assert [secret in text for text in pages] == [False, False]
        assert secret not in caplog.text

    def test_double_click(self, browser, stored):
        """A form that is sent twice creates one client, and both pages show its secret."""
        pages = send_twice(browser, "/admin/clients/new", name="billing", audience=URI)

        assert len({secret_in(page) for page in pages}) == 1
        assert len(stored().secrets) == 1

    def test_form_of_before(self, browser, stored):
        """The same form with other values creates nothing, and says what to do."""
        page = browser.get("/admin/clients/new")
        form = form_of(page, "request_id")
        browser.post("/admin/clients/new", {**form, "name": "billing"})
        again = browser.post("/admin/clients/new", {**form, "name": "shipping"})

        assert again.status_code == 422
        assert "sent before with other values" in errors_of(again)["form"]
        assert stored().name == "billing"

    def test_new_form(self, browser, app):
        """Two forms with the same values create two clients."""
        for _ in range(2):
            page = browser.get("/admin/clients/new")
            browser.post("/admin/clients/new", {**form_of(page, "request_id"), "name": "a"})
        with app.app_context():
            names = [client.name for client in OAuthClient.scan()]

        assert names == ["a", "a"]

    def test_every_fault(self, browser, snapshot):
        """All faulty fields are named, and what was typed is kept."""
        before = snapshot()
        fields = {"name": "\u202e", "audience": "no URI", "scopes": ["root"]}
        page = browser.send("/admin/clients/new", request_id="r" * 32, **fields)

        assert errors_of(page).keys() >= {"name", "audience", "scopes"}
        assert fields_of(page)["audience"]["value"] == "no URI"
        assert fields_of(page)["request_id"]["value"] == "r" * 32
        assert snapshot() == before

    def test_taken_audience(self, browser, billing, stored):
        """An audience of another client is rejected at the field."""
        page = browser.send("/admin/clients/new", request_id="r" * 32, name="other", audience=URI)

        assert page.status_code == 409
        assert "Another client" in errors_of(page)["audience"]
        assert stored().id == billing["id"]

    @pytest.mark.parametrize("request_id", ["", "short", "x" * 200, "r" * 31 + "\n"])
    def test_forged_form(self, browser, request_id, snapshot):
        """A form without the ID that pages give it is rejected."""
        before = snapshot()
        page = browser.send("/admin/clients/new", request_id=request_id, name="billing")

        assert page.status_code == 400
        assert snapshot() == before


class TestShow:
    def test_page(self, browser, billing, page_of_billing, accepts):
        """The page shows scopes, audience, secrets with their last use, and events."""
        accepts(billing["secret"])
        text = browser.get(page_of_billing).text
        [secret] = re.findall(r"last used <time", text)

        assert secret
        assert URI in text
        assert billing["secrets"][0]["id"] in text
        assert "Client created" in text

    def test_hostile_name(self, browser, john):
        """A name is shown as text."""
        id = john.post("/v1/clients", json={"name": SCRIPT}).json["id"]

        assert SCRIPT not in browser.get(f"/admin/clients/{id}").text

    def test_letter_case(self, browser, billing):
        """An ID is found in any letter case."""
        assert browser.get(f"/admin/clients/{billing['id'].upper()}").status_code == 200


class TestFields:
    def save(self, browser, path, page=None, **fields):
        """Fill in the form with the fields, and send it."""
        form = form_of(page or browser.get(path), "audience")
        return browser.post(path, {**form, **fields})

    def test_save(self, browser, page_of_billing, stored):
        """Name, scopes and audience are saved."""
        response = self.save(
            browser, page_of_billing, name="shipping", scopes=["email"], audience=""
        )

        assert location(response) == page_of_billing
        assert "The changes are saved." in browser.get(page_of_billing).text
        assert (stored().name, stored().scopes) == ("shipping", ["email"])
        assert stored().audience is None

    def test_unchanged(self, browser, page_of_billing, stored):
        """A form that was sent as it is changes nothing."""
        self.save(browser, page_of_billing, scopes=["introspect"])

        assert stored().version == 1

    def test_changed_meanwhile(self, browser, page_of_billing, john, stored):
        """What another admin has changed meanwhile is not overwritten."""
        page = browser.get(page_of_billing)
        john.patch(f"/v1/clients/{stored().id}", json={"name": "shipping"})
        response = self.save(browser, page_of_billing, page, name="third")

        assert response.status_code == 412
        assert "The client has changed" in errors_of(response)["form"]
        assert stored().name == "shipping"

    @pytest.mark.parametrize("version", ["", "x", "-1", "9" * 400])
    def test_forged_version(self, browser, page_of_billing, stored, version):
        """A form without a version of the client is rejected."""
        response = self.save(browser, page_of_billing, name="x", version=version)

        assert response.status_code == 412
        assert stored().name == "billing"

    def test_faults(self, browser, page_of_billing, stored):
        """Faulty fields are named, and nothing is saved."""
        response = self.save(browser, page_of_billing, name="", audience="x")

        assert errors_of(response).keys() >= {"name", "audience"}
        assert stored().version == 1


class TestChanges:
    @pytest.mark.parametrize("change", [*CHANGES, "secrets/{secret}"])
    def test_is_confirmed(self, browser, billing, page_of_billing, change, snapshot):
        """Opening the page says what happens, and changes nothing."""
        before = snapshot()
        path = change.format(secret=billing["secrets"][0]["id"])
        page = browser.get(f"{page_of_billing}/{path}")

        assert page.status_code == 200
        assert "<button" in page.text
        assert snapshot() == before

    def test_disable_and_enable(self, browser, page_of_billing, billing, accepts, app):
        """A disabled client does not authenticate, until it is enabled."""
        disabled = browser.send(f"{page_of_billing}/disable")
        app.extensions["roster"].clients.forget()
        while_disabled = accepts(billing["secret"])
        enabled = browser.send(f"{page_of_billing}/enable")

        assert [location(disabled), location(enabled)] == [page_of_billing] * 2
        assert (while_disabled, accepts(billing["secret"])) == (False, True)
        assert "Client disabled" in browser.get(page_of_billing).text

    def test_add_and_revoke_secret(self, browser, page_of_billing, billing, accepts):
        """A secret is replaced without a gap."""
        [page, again] = send_twice(browser, f"{page_of_billing}/add-secret")
        both = [accepts(billing["secret"]), accepts(secret_in(page))]
        old = f"{page_of_billing}/secrets/{billing['secrets'][0]['id']}"
        [revoked, twice] = send_twice(browser, old)

        assert secret_in(again) == secret_in(page)
        assert both == [True, True]
        assert [location(revoked), location(twice)] == [page_of_billing] * 2
        assert [accepts(billing["secret"]), accepts(secret_in(page))] == [False, True]

    def test_third_secret(self, browser, page_of_billing, stored):
        """A client has two secrets at most: the page offers no third, and a form creates none."""
        page = browser.get(f"{page_of_billing}/add-secret")
        browser.send(f"{page_of_billing}/add-secret", request_id="r" * 32)
        form = form_of(page, "request_id")
        rejected = browser.post(f"{page_of_billing}/add-secret", form)

        assert rejected.status_code == 409
        assert "two secrets, the maximum" in errors_of(rejected)["form"]
        assert "add-secret" not in browser.get(page_of_billing).text
        assert len(stored().secrets) == 2

    def test_no_secret(self, browser, billing, page_of_billing):
        """A client without a secret says so."""
        browser.send(f"{page_of_billing}/secrets/{billing['secrets'][0]['id']}")

        assert "The client has no secret" in browser.get(page_of_billing).text

    def test_delete(self, browser, page_of_billing, billing, accepts):
        """The client is deleted, and its events are kept."""
        response = browser.send(f"{page_of_billing}/delete")

        assert location(response) == "/admin/clients"
        assert browser.get(page_of_billing).status_code == 404
        assert not accepts(billing["secret"])
        assert "Client deleted" in browser.get(f"/admin/events?user={billing['id']}").text

    def test_delete_twice(self, browser, page_of_billing):
        """A double click deletes once, and the second response says that the client is gone."""
        [first, second] = send_twice(browser, f"{page_of_billing}/delete")

        assert location(first) == "/admin/clients"
        assert second.status_code == 404

    def test_actor(self, browser, john, page_of_billing, billing):
        """A change is recorded with the admin as the actor."""
        browser.send(f"{page_of_billing}/disable")
        [event, *_] = john.get(f"/v1/events?user={billing['id']}").json["items"]

        assert (event["type"], event["actor_id"]) == ("client.disabled", john.id)


class TestRecentAuthentication:
    @pytest.fixture
    def old_browser(self, make_app, john):
        """Return a browser of an admin whose authentication is never recent."""
        return PageClient(make_app(recent_auth=timedelta(0))).sign_in("john", PASSWORD)

    @pytest.mark.parametrize("change", [*CHANGES, "secrets/{secret}"])
    def test_changes(self, old_browser, billing, page_of_billing, change, snapshot):
        """Each change asks for the password in place."""
        before = snapshot()
        path = change.format(secret=billing["secrets"][0]["id"])
        step = old_browser.send(f"{page_of_billing}/{path}", request_id="r" * 32)

        assert step.status_code == 403
        assert form_of(step, "confirm_password")["request_id"] == "r" * 32
        assert snapshot() == before

    def test_create(self, old_browser, snapshot):
        """Creating a client asks for the password, and keeps what was typed."""
        before = snapshot()
        fields = {"name": "billing", "audience": URI, "request_id": "r" * 32}
        step = old_browser.send("/admin/clients/new", **fields)

        assert form_of(step, "confirm_password").items() >= fields.items()
        assert snapshot() == before

    def test_confirmed(self, app, stored, browser):
        """With the password, the kept form creates the client and shows its secret."""
        with app.app_context():
            for row in Session.scan():
                row.update([Session.authenticated_at.set(now() - timedelta(hours=1))])
        step = browser.send("/admin/clients/new", name="billing", request_id="r" * 32)
        form = {**form_of(step, "confirm_password"), "confirm_password": PASSWORD}
        page = browser.post("/admin/clients/new", form)

        assert secret_in(page)
        assert stored().name == "billing"

    def test_fields(self, old_browser, page_of_billing, snapshot):
        """Saving the fields asks for the password."""
        form = {**form_of(old_browser.get(page_of_billing), "audience"), "name": "x"}
        before = snapshot()
        step = old_browser.post(page_of_billing, form)

        assert step.status_code == 403
        assert "confirm_password" in form_of(step, "confirm_password")
        assert snapshot() == before
