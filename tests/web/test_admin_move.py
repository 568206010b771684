"""The page of the console that moves names of another user to a user."""

import re
from datetime import timedelta
from urllib.parse import urljoin

import pytest

from models import User
from tests.support.page_client import PageClient, errors_of, fields_of, form_of, location
from tests.support.person import PASSWORD

EMAIL = "copy@example.com"


@pytest.fixture
def browser(app, john):
    """Return a browser in which john, an admin, is signed in."""
    return PageClient(app).sign_in("john", PASSWORD)


@pytest.fixture
def copy(create_user):
    """Return the duplicate of jane."""
    return create_user("copy")


@pytest.fixture
def page_of_jane(jane):
    """Return the URL of jane's page."""
    return f"/admin/users/{jane.id}"


@pytest.fixture
def path(page_of_jane):
    """Return the URL of the page that moves names to jane."""
    return f"{page_of_jane}/move"


@pytest.fixture
def move(browser, path, copy):
    """Return a function that opens the page for the duplicate, chooses, and sends the form."""

    def send(names=(), page=None, **fields):
        url = f"{path}?from=copy"
        form = form_of(page or browser.get(url), has="source")
        form = {
            name: value for name, value in form.items() if name not in ("names", "delete_source")
        }
        return browser.post(url, {**form, "names": list(names), **fields})

    return send


@pytest.fixture
def stored(app):
    """Return a function that returns the names of all users, as stored."""

    def read():
        with app.app_context():
            return sorted((user.email, user.username) for user in User.scan())

    return read


JOHN, JANE, COPY = ((f"{name}@example.com", name) for name in ("john", "jane", "copy"))


class TestFind:
    def test_link(self, browser, page_of_jane, path):
        """The page of a user leads to the page."""
        links = re.findall(r'href="([^"]+)"', browser.get(page_of_jane).text)

        assert path in {urljoin(page_of_jane, link) for link in links}

    @pytest.mark.parametrize("typed", ["copy", "COPY", EMAIL, " copy ", "{id}"])
    def test_found(self, browser, path, copy, typed):
        """The other user is found by username, address or ID, and shown before anything moves."""
        page = browser.get(path, query_string={"from": typed.format(id=copy.id)})

        assert page.status_code == 200
        assert "copy, copy@example.com" in page.text
        assert fields_of(page)["source"]["value"] == copy.id
        assert "checked" not in fields_of(page)["delete_source"]

    @pytest.mark.parametrize("typed", ["nobody", "x@example.com", "<script>alert(1)</script>", "0"])
    def test_unknown(self, browser, path, typed):
        """An unknown user is named at the field, with what was typed."""
        page = browser.get(path, query_string={"from": typed})

        assert errors_of(page) == {"from": "There is no such user."}
        assert fields_of(page)["from"]["value"] == typed

    def test_itself(self, browser, path):
        """A user has no names to move to itself."""
        assert errors_of(browser.get(f"{path}?from=jane")) == {"from": "This is the same user."}

    def test_first(self, browser, path):
        """At first the page asks for the other user, and reports nothing."""
        page = browser.get(path)

        assert "from" in fields_of(page)
        assert "source" not in fields_of(page)
        assert errors_of(page) == {}

    def test_without_username(self, browser, path, nell):
        """A user without a username has only an address to move."""
        page = browser.get(f"{path}?from=nell@example.com")

        assert page.text.count('name="names"') == 1

    def test_nobody_moves_by_a_link(self, browser, path, copy, snapshot):
        """Opening the page changes nothing."""
        before = snapshot()
        browser.get(f"{path}?from=copy&names=email&delete_source=y")

        assert snapshot() == before


class TestMove:
    def test_email(self, browser, move, stored, page_of_jane):
        """The address moves, the other user is deleted, and the page of the user says so."""
        response = move(["email"], delete_source="y")

        assert location(response) == page_of_jane
        assert "The names have moved." in browser.get(page_of_jane).text
        assert stored() == [(EMAIL, "jane"), JOHN]

    def test_both(self, move, stored):
        """Both names move together."""
        move(["email", "username"], delete_source="y")

        assert stored() == [COPY, JOHN]

    def test_username(self, move, stored):
        """The username moves, and the other user stays without one."""
        move(["username"])

        assert stored() == [(EMAIL, None), ("jane@example.com", "copy"), JOHN]

    def test_sent_twice(self, move, browser, path, stored):
        """A form that a browser sends twice leads to the same page."""
        page = browser.get(f"{path}?from=copy")
        first = move(["email"], page, delete_source="y")
        again = move(["email"], page, delete_source="y")

        assert location(first) == location(again)
        assert stored() == [(EMAIL, "jane"), JOHN]


class TestRejected:
    @pytest.mark.parametrize(
        "names, fields, errors",
        [
            ([], {}, {"form": "Choose what moves."}),
            ([], {"delete_source": "y"}, {"form": "Choose what moves."}),
            (
                ["email"],
                {},
                {
                    "delete_source": "Every user has an email address: confirm the deletion, too.",
                    "form": "Check the marked fields.",
                },
            ),
            (["email"], {"delete_source": "y", "source": "x"}, None),
            (["roles"], {}, None),
        ],
    )
    def test_choice(self, move, snapshot, names, fields, errors):
        """What is missing is named, and nothing moves."""
        before = snapshot()
        response = move(names, **fields)

        assert response.status_code == 422
        assert errors in (None, errors_of(response))
        assert snapshot() == before

    def test_choice_is_kept(self, move):
        """What was chosen is still chosen when the page comes back."""
        page = move(["email"])
        chosen = re.findall(r"<input checked[^>]*value=\"(\w+)\"", page.text)

        assert chosen == ["email"]

    def test_changed_address(self, browser, path, copy, move, stored):
        """An address that the other user has changed meanwhile does not move unseen."""
        page = browser.get(f"{path}?from=copy")
        copy.patch("/v1/users/me", json={"email": "other@example.com"})
        response = move(["email"], page, delete_source="y")

        assert "The email address of the other user has changed" in errors_of(response)["form"]
        assert stored() == [JANE, JOHN, ("other@example.com", "copy")]

    def test_changed_user(self, browser, path, jane, move, stored):
        """A user that was changed meanwhile is not overwritten unseen."""
        page = browser.get(f"{path}?from=copy")
        jane.patch("/v1/users/me", json={"full_name": "Jane"})
        response = move(["email"], page, delete_source="y")

        assert response.status_code == 412
        assert stored() == [COPY, JANE, JOHN]

    def test_last_admin(self, browser, path, stored):
        """The last active admin is not deleted."""
        form = form_of(browser.get(f"{path}?from=john"), has="source")
        response = browser.post(path, {**form, "names": "email", "delete_source": "y"})

        assert response.status_code == 409
        assert "This is the last active admin." in errors_of(response)["form"]
        assert len(stored()) == 2

    def test_recent_authentication(self, make_app, john, path, copy, stored):
        """Without recent authentication the page asks for the password, and keeps the choice."""
        service = make_app(recent_auth=timedelta(0))
        browser = PageClient(service).sign_in("john", PASSWORD)
        form = form_of(browser.get(f"{path}?from=copy"), has="source")
        step = browser.post(f"{path}?from=copy", {**form, "names": "email", "delete_source": "y"})

        assert step.status_code == 403
        assert form_of(step, has="confirm_password")["names"] == "email"
        assert stored() == [COPY, JANE, JOHN]

    @pytest.mark.parametrize("caller", ["support", "auditor", "eve"])
    def test_others(self, app, request, path, caller):
        """The page is for admins only, and so is the link to it."""
        person = request.getfixturevalue(caller)
        browser = PageClient(app).sign_in(person.username, PASSWORD)

        assert browser.get(path).status_code == 403
        assert '/move"' not in browser.get(path.removesuffix("/move")).text
