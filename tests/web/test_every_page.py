"""What each page of an admin's session has: its headers, and fields that browsers know.

With and without usernames, in each mode of ROSTER_USERNAMES.
"""

import re

import pytest

from models import UsernameMode
from tests.support.page_client import PageClient, fields_of
from tests.support.person import PASSWORD


@pytest.fixture(
    params=["optional", "required", "off"], ids=lambda mode: f"usernames {mode}", scope="module"
)
def mode(request):
    """Return whether accounts have a username."""
    return UsernameMode(request.param)


@pytest.fixture(params=[True, False], ids=["with username", "without username"], scope="module")
def has_username(request):
    """Return whether the users of a test have a username."""
    return request.param


@pytest.fixture(scope="module")
def names(shared_app, empty_tables, has_username):
    """Register john, an admin, and jane; return what each signs in with, and the ID of jane."""
    found = {}
    with shared_app.app_context():
        for name, roles in (("john", ["admin"]), ("jane", ["user"])):
            email = f"{name}@example.com"
            user = shared_app.extensions["roster"].accounts.register(
                username=name if has_username else None,
                email=email,
                password=PASSWORD,
                roles=roles,
            )
            found |= {name: user.username or email, f"{name}'s id": user.id}
    yield found
    empty_tables()


@pytest.fixture(scope="module")
def pages(make_app, names, mode):
    """Return all pages with a form or a table, opened by john, about jane; by their paths."""
    app = make_app(username_mode=mode)
    signed_in = PageClient(app).sign_in(names["john"], PASSWORD)
    paths = {
        rule.rule.replace("<id>", names["jane's id"]).replace("<change>", "suspend")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("web.") and {"GET", "POST"} <= rule.methods
    }
    opened = {path: signed_in.get(path) for path in paths if "<" not in path}
    anonymous = {path: PageClient(app).get(path) for path in ("/sign-in", "/sign-up")}
    found = {**opened, **anonymous, "/admin": signed_in.get("/admin")}
    return {path: page for path, page in found.items() if page.status_code == 200}


def test_headers(pages):
    """ASVS 3.4.3, 3.4.6, 14.3.2: no page is framed, cached, or runs what is not ours."""
    policies = {path: page.headers["Content-Security-Policy"] for path, page in pages.items()}
    cached = {path for path, page in pages.items() if page.headers["Cache-Control"] != "no-store"}
    framed = {path for path, text in policies.items() if "frame-ancestors 'none'" not in text}

    assert {"/account", "/admin", "/sign-up", "/forgot-password"} <= pages.keys()
    assert (cached, framed) == (set(), set())
    assert {path for path, text in policies.items() if "unsafe" in text} == set()
    assert {page.headers["Referrer-Policy"] for page in pages.values()} == {"same-origin"}


def test_nothing_inline(pages):
    """ASVS 3.2.1: no page has a script or a style of its own."""
    inline = r"<script(?! type=\"module\" src=)|<style| style=| on\w+="

    assert {path for path, page in pages.items() if re.search(inline, page.text)} == set()


def test_autocomplete(pages):
    """WCAG 1.3.5: each field says what browsers and password managers may fill in, or nothing."""
    silent = {
        f"{path} {name}"
        for path, page in pages.items()
        for name, attributes in fields_of(page).items()
        if attributes.get("type") in {"text", "password", "search", "email", "number"}
        if "autocomplete" not in attributes
    }

    assert silent == set()


def test_buttons_are_buttons(pages):
    """No link says that it is a button: the space bar does not follow links."""
    assert {path for path, page in pages.items() if 'role="button"' in page.text} == set()


def test_no_placeholder(pages):
    """An absent value is never shown as the word of a programming language."""
    texts = {path: re.sub(r"<[^>]*>", " ", page.text) for path, page in pages.items()}

    assert {path for path, text in texts.items() if re.search(r"\b(None|null)\b", text)} == set()
    assert {path for path, page in pages.items() if '"None"' in page.text} == set()


def test_username_fields(pages, mode):
    """The pages that have the field of a username have it, unless usernames are off."""
    found = {path for path, page in pages.items() if "username" in fields_of(page)}
    has_field = {"/sign-up", "/account", "/admin/users/new"}

    # On the page about the data, it is the text that is typed to delete the account.
    assert found & has_field == (set() if mode is UsernameMode.OFF else has_field)
    assert "/account/data" in found


def test_titles(pages):
    """WCAG 2.4.2: each page has a title of its own."""
    titles = [re.findall("<title>(.*?)</title>", page.text)[0] for page in pages.values()]

    assert len(set(titles)) == len(pages)
