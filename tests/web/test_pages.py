"""What all pages have in common: headers, files, and where they lead."""

import re

import pytest

from api.lanes import hashing_routes
from tests.support.documents import ROOT
from tests.support.page_client import PageClient, location
from tests.support.person import PASSWORD

PAGES = ["/sign-in", "/sign-up", "/forgot-password", "/verify-email", "/reset-password"]
APP = "https://app.example.com/start"
ALLOWED = ["/account", "/account/email", "/account/activity?cursor=a_b-c.d", "/verify-email"]
IN_THE_APP = [APP, f"{APP}/", f"{APP}/a/b?c=d#e", f"{APP}?x=//evil.example", f"{APP}#top"]
# Each of these has led to another host somewhere (CVE-2023-49438, CVE-2021-32618, CVE-2021-23401).
OPEN_REDIRECTS = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/account",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/account\r\nLocation: https://evil.example",
    "http:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://app.example.com@evil.example",
    "https://app.example.com.evil.example/start",
    "https://app.example.com/start@evil.example",
    "https://app.example.com/started",
    "https://app.example.com/start/../other",
    "https://app.example.com/start/%2e%2e/other",
    "https://app.example.com/start\\@evil.example",
    "https://app.example.com\\.evil.example/start",
    "https://APP.example.com/start",
    "https://user:pw@app.example.com/start",
    "http://app.example.com/start",
    "//app.example.com/start",
    "/account//evil.example",
    "/account/../../evil",
    "/account@evil.example",
    "/accountevil",
    "/account?next=https://evil.example",
    "/%2f/evil.example",
    "/\u2044evil.example",
    "\uff0f\uff0fevil.example",
    ".evil.example",
    "@evil.example",
    "evil.example",
    "",
    "/account" + "/a" * 2000,
]


@pytest.fixture
def app_browser(make_app, jane):
    """Return a browser at a service whose users return to an application."""
    return PageClient(make_app(app_urls=(APP, "https://other.example.com")))


@pytest.mark.parametrize("path", PAGES)
class TestHeaders:
    def test_policy(self, tableless_browser, path):
        """ASVS 3.4.3, 3.4.6: the page runs only our scripts and cannot be framed."""
        policy = tableless_browser.get(path).headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

        assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'"
        assert "unsafe" not in policy

    def test_privacy(self, tableless_browser, path):
        """ASVS 14.2.1, 14.3.2, 3.4.5: the page is not cached, and sends no referrer to others."""
        headers = tableless_browser.get(path).headers

        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Cookie" in headers["Vary"]

    def test_nothing_inline(self, tableless_browser, path):
        """The page works under a policy that forbids inline scripts and styles."""
        text = tableless_browser.get(path).text

        assert re.findall(r"<script(?! type=\"module\" src=)|<style| style=| on\w+=", text) == []

    def test_files_are_ours(self, tableless_browser, path):
        """Every script and style of the page is served by this service, below any path."""
        parts = re.findall(r'(?:src|href)="([^"#]+)"', tableless_browser.get(path).text)

        assert len(parts) >= 3
        assert not any(":" in part or part.startswith("/") for part in parts)
        assert {tableless_browser.get(f"/{part}", buffered=True).status_code for part in parts} == {
            200
        }

    def test_not_in_the_description(self, tableless_client, path):
        """Pages are not part of the API description."""
        assert path not in tableless_client.get("/openapi.json").json["paths"]

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_methods(self, tableless_browser, path, method):
        """ASVS 4.1.4: a page can be opened, and its form sent."""
        assert tableless_browser.http.open(path, method=method).status_code == 405


class TestPico:
    def test_matches_lock_file(self):
        """The committed files match the locked package; if this fails, run `make pico`."""
        package = ROOT / "tools/pico/node_modules/@picocss/pico"
        installed = {
            "LICENSE.md": (package / "LICENSE.md").read_bytes(),
            "pico.min.css": (package / "css/pico.min.css").read_bytes(),
        }
        committed = {path.name: path.read_bytes() for path in (ROOT / "web/static/pico").iterdir()}

        assert committed == installed


class TestNext:
    @pytest.mark.parametrize("next", ALLOWED)
    def test_own_page(self, browser, jane, next):
        """After signing in the user gets to the page that was opened."""
        response = browser.send("/sign-in", login="jane", password=PASSWORD, next=next)

        assert location(response) == next

    @pytest.mark.parametrize("next", IN_THE_APP)
    def test_application(self, app_browser, next):
        """A page of the application in ROSTER_APP_URL is allowed."""
        response = app_browser.send("/sign-in", login="jane", password=PASSWORD, next=next)

        assert location(response) == next

    @pytest.mark.parametrize("next", OPEN_REDIRECTS)
    def test_open_redirect(self, app_browser, next):
        """Whatever else is named, the user gets to the application."""
        response = app_browser.send("/sign-in", login="jane", password=PASSWORD, next=next)

        assert location(response) == APP

    @pytest.mark.parametrize("next", OPEN_REDIRECTS)
    def test_open_redirect_of_a_link(self, app_browser, next):
        """A link to sign-in leads a signed-in user nowhere else."""
        app_browser.sign_in("jane", PASSWORD)

        assert location(app_browser.get("/sign-in", query_string={"next": next})) == APP

    def test_link_keeps_it(self, browser):
        """The page of a link is kept from sign-in to sign-up."""
        page = browser.get("/sign-in?next=/account/email")

        assert 'href="sign-up?next=/account/email"' in page.text

    def test_policy_names_the_application(self, app_browser):
        """Browsers hold the redirect after a form to the policy of the page."""
        policy = app_browser.get("/sign-in").headers["Content-Security-Policy"]

        assert "form-action 'self' https://app.example.com https://other.example.com;" in policy


class TestName:
    def test_title(self, make_app):
        """ROSTER_NAME is the name of the product in pages."""
        text = PageClient(make_app(name="A & B <Co>")).get("/sign-in").text

        assert "<title>Sign in - A &amp; B &lt;Co&gt;</title>" in text


class TestNothing:
    @pytest.mark.parametrize(
        "path", ["/account/", "/account/nothing", "/account/a/b", "/admin/", "/admin/a/b/c/d"]
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_page(self, tableless_browser, path, method):
        """A URL below those of pages at which there is nothing has a page that says so."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        token = tableless_browser.token_of(tableless_browser.get("/sign-in"))
        response = tableless_browser.http.open(
            path, method=method, headers=headers, data={"csrf_token": token}
        )

        assert (response.status_code, response.mimetype) == (404, "text/html")
        assert "There is nothing at this URL." in response.text

    def test_elsewhere(self, tableless_client):
        """Elsewhere it is an error of the API."""
        assert tableless_client.get("/accounts/nothing").mimetype == "application/problem+json"


class TestFailure:
    def test_no_database(self, no_database_app):
        """Without the database a form says so, as a page."""
        response = PageClient(no_database_app).send("/sign-in", login="jane", password=PASSWORD)

        assert (response.status_code, response.mimetype) == (503, "text/html")
        assert response.headers["Retry-After"] == "2"
        assert "Temporarily unavailable" in response.text


class TestLanes:
    def test_hashing_forms(self, app):
        """Forms that may verify a password are in the lane of hashes; opening a page is not."""
        hashing = set(hashing_routes(app))

        assert {("POST", "/sign-in"), ("POST", "/sign-up"), ("POST", "/account")} <= hashing
        assert [route for route in hashing if route[0] == "GET"] == []
