"""The page that renders the API description."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.process_harness import DEMO_PASSWORD
from tests.support.responses import outcome

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "api" / "static" / "swagger-ui"
HERE = "http://127.0.0.1:8080"
INSTALLED = ROOT / "tools" / "swagger-ui" / "node_modules" / "swagger-ui-dist"


class TestDocs:
    def test_page(self, tableless_client):
        """/docs is an HTML page that loads nothing from another host."""
        page = tableless_client.get("/docs")

        assert page.status_code == 200
        assert page.mimetype == "text/html"
        assert not re.findall(r'(?:src|href|data-document)="(?:https?:)?//', page.text)

    def test_assets_are_served(self, tableless_client):
        """Every script, style and document that the page references is served."""
        page = tableless_client.get("/docs")

        parts = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)

        assert len(parts) >= 4
        assert {tableless_client.get(part, buffered=True).status_code for part in parts} == {200}

    def test_scripts_have_their_media_type(self, tableless_client):
        """With nosniff, a browser runs only scripts served as JavaScript."""
        scripts = re.findall(r'<script src="([^"]+)"', tableless_client.get("/docs").text)

        types = {tableless_client.get(script, buffered=True).mimetype for script in scripts}
        assert types == {"text/javascript"}

    def test_no_inline_script(self, tableless_client):
        """The page works under a policy that forbids inline scripts."""
        assert re.findall("<script(?! src=)", tableless_client.get("/docs").text) == []

    def test_policy(self, tableless_client):
        """The policy forbids resources of other hosts and inline scripts."""
        policy = tableless_client.get("/docs").headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy

    def test_root_redirects(self, tableless_client):
        """Without a home page, / redirects to the docs."""
        response = tableless_client.get("/")

        assert response.status_code == 302
        assert response.headers["Location"] == "/docs"


class TestTokens:
    def test_not_kept(self, tableless_client):
        """The page does not keep tokens in the browser's storage, nor in a cache (L6)."""
        page = tableless_client.get("/docs")

        assert 'data-keeps-tokens="no"' in page.text
        assert page.headers["Cache-Control"] == "no-store"

    def test_local(self, make_app):
        """In local mode it does, for convenience."""
        page = make_app(is_local=True).test_client().get("/docs")

        assert 'data-keeps-tokens="yes"' in page.text


class TestLocalTools:
    @pytest.fixture
    def page(self, make_app, config, tmp_path):
        """Return a function that requests the page in local mode, with demo users and a mailbox."""
        email = replace(config.email, folder=tmp_path)
        client = make_app(
            is_local=True, demo=True, demo_password=DEMO_PASSWORD, email=email
        ).test_client()
        return lambda **request: client.get("/docs", **{"base_url": HERE, **request}).text

    def test_demo_users(self, page):
        """In local mode the page has buttons that sign in as john and as jane."""
        shown = page()

        assert re.findall('data-login="([a-z]+)"', shown) == ["john", "jane"]
        assert f'data-password="{DEMO_PASSWORD}"' in shown

    def test_links(self, page):
        """The page leads to the errors, the documents, and in local mode to the emails."""
        links = re.findall('<a href="([^"]+)"', page())

        assert links == ["/problems", "/dev/mail", "/openapi.json", "/swagger.json"]

    @pytest.mark.parametrize(
        "request_options",
        [
            {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}},
            {"base_url": "http://roster.example"},
            {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        ],
        ids=["another computer", "another name", "a proxy"],
    )
    def test_other_clients(self, page, request_options):
        """The demo password is not for requests from other computers."""
        shown = page(**request_options)

        assert DEMO_PASSWORD not in shown
        assert "data-login" not in shown
        assert "/dev/mail" not in shown

    def test_no_demo_users(self, make_app):
        """Without demo users there are no buttons."""
        app = make_app(is_local=True, demo=False)
        shown = app.test_client().get("/docs", base_url=HERE).text

        assert "data-login" not in shown
        assert "data-password" not in shown

    def test_production(self, make_app):
        """Outside of local mode there are neither buttons nor a mailbox, whatever the settings."""
        app = make_app(demo=True, demo_password=DEMO_PASSWORD)
        shown = app.test_client().get("/docs", base_url=HERE).text

        assert DEMO_PASSWORD not in shown
        assert "data-login" not in shown
        assert re.findall('<a href="([^"]+)"', shown) == [
            "/problems",
            "/openapi.json",
            "/swagger.json",
        ]


class TestTurnedOff:
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/docs",
            "/docs/static/docs.js",
            "/docs/static/docs.css",
            "/openapi.json",
            "/swagger.json",
        ],
    )
    def test_not_found(self, make_app, path):
        """With ROSTER_DOCS=off neither the page nor a document exists (ASVS 13.4.5)."""
        response = make_app(docs=False).test_client().get(path)

        assert outcome(response) == (404, "not-found", [])

    def test_api(self, make_app):
        """The API is served all the same."""
        client = make_app(docs=False).test_client()

        assert client.get("/health/live").status_code == 200
        assert client.get("/v1/users/me").status_code == 401


class TestSwaggerUi:
    def test_version(self, tableless_client):
        """Swagger UI is recent enough for OpenAPI 3.1, which version 4 could not render."""
        page = tableless_client.get("/docs").text
        locked = json.loads((ROOT / "tools" / "swagger-ui" / "package-lock.json").read_text())

        assert 'data-document="/openapi.json"' in page
        assert locked["packages"]["node_modules/swagger-ui-dist"]["version"].startswith("5.")

    def test_matches_lock_file(self):
        """The committed files match the locked package; if this fails, run `make swagger-ui`."""
        committed = {path.name: path.read_bytes() for path in COMMITTED.iterdir()}

        assert committed.keys() >= {"swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"}
        assert committed == {name: (INSTALLED / name).read_bytes() for name in committed}
