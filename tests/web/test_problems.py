"""The problem types as pages for browsers, and as JSON for programs, at the same URLs."""

import pytest
from flask.testing import FlaskClient

from api.problems import PROBLEMS
from tests.support.responses import outcome

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAMS = [
    {},
    {"Accept": "*/*"},
    {"Accept": "application/json"},
    {"Accept": "application/json, text/html;q=0.9"},
    {"Accept": "application/problem+json, */*"},
]
PATHS = ["/problems", "/problems/email-taken"]


@pytest.fixture
def browser(tableless_client):
    """Return a client that holds nothing to the API description, which has no pages."""
    return FlaskClient(tableless_client.application, tableless_client.response_wrapper)


class TestBrowser:
    @pytest.mark.parametrize("slug", sorted(PROBLEMS))
    def test_explanation(self, browser, slug):
        """A browser that follows the `type` of a problem gets a page that explains it."""
        response = browser.get(f"/problems/{slug}", headers=BROWSER)

        assert (response.status_code, response.mimetype) == (200, "text/html")
        assert f"<h1>{PROBLEMS[slug].title}</h1>" in response.text
        assert f"/problems/{slug}" in response.text

    def test_index(self, browser):
        """The list leads to each of them."""
        response = browser.get("/problems", headers=BROWSER)

        assert response.mimetype == "text/html"
        assert [slug for slug in PROBLEMS if f'href="problems/{slug}"' not in response.text] == []

    @pytest.mark.parametrize("path", PATHS)
    def test_style_sheet(self, browser, path):
        """The style sheet is found from both, relative to the page."""
        text = browser.get(path, headers=BROWSER).text
        root = "../" if path.count("/") > 1 else ""

        assert f'href="{root}static/pages.css"' in text

    @pytest.mark.parametrize("path", PATHS)
    def test_policy(self, browser, path):
        """The pages run nothing from elsewhere and cannot be framed."""
        policy = browser.get(path, headers=BROWSER).headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy

    def test_unknown(self, browser):
        """An unknown type is a problem, also for a browser."""
        response = browser.get("/problems/nothing", headers=BROWSER)

        assert outcome(response) == (404, "not-found", [])


class TestProgram:
    @pytest.mark.parametrize("headers", PROGRAMS)
    @pytest.mark.parametrize("path", PATHS)
    def test_json(self, tableless_client, path, headers):
        """A client that does not prefer HTML gets JSON."""
        response = tableless_client.get(path, headers=headers)

        assert (response.status_code, response.mimetype) == (200, "application/json")

    def test_list(self, tableless_client):
        """The list has every type of the registry."""
        items = tableless_client.get("/problems").json["items"]

        assert [item["type"] for item in items] == [p.type for p in PROBLEMS.values()]

    @pytest.mark.parametrize("headers", [BROWSER, {}])
    @pytest.mark.parametrize("path", PATHS)
    def test_vary(self, browser, path, headers):
        """A cache keeps both apart (RFC 9110, 12.5.5)."""
        assert "Accept" in browser.get(path, headers=headers).headers["Vary"]

    def test_only_here(self, tableless_client):
        """Other errors are JSON, to a browser too."""
        response = tableless_client.get("/v1/users/me", headers=BROWSER)

        assert response.mimetype == "application/problem+json"
