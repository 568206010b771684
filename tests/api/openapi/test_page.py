"""The page that shows the API description."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "api" / "static" / "swagger-ui"
INSTALLED = ROOT / "tools" / "swagger-ui" / "node_modules" / "swagger-ui-dist"


class TestDocs:
    def test_page(self, anybody):
        """/docs is an HTML page that needs no other host."""
        page = anybody.get("/docs")

        assert page.status_code == 200
        assert page.mimetype == "text/html"
        assert not re.findall(r'(?:src|href|data-document)="(?:https?:)?//', page.text)

    def test_its_parts_are_there(self, anybody):
        """Every script, style and document that the page names can be had."""
        page = anybody.get("/docs")

        parts = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)

        assert len(parts) >= 4
        assert {anybody.get(part, buffered=True).status_code for part in parts} == {200}

    def test_scripts_are_scripts(self, anybody):
        """Under nosniff a browser runs only what says that it is JavaScript."""
        scripts = re.findall(r'<script src="([^"]+)"', anybody.get("/docs").text)

        types = {anybody.get(script, buffered=True).mimetype for script in scripts}
        assert types == {"text/javascript"}

    def test_no_inline_script(self, anybody):
        """The page works under a policy that forbids inline scripts."""
        assert re.findall("<script(?! src=)", anybody.get("/docs").text) == []

    def test_policy(self, anybody):
        """The browser is told to load nothing that is not ours, and to run nothing inline."""
        policy = anybody.get("/docs").headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy

    def test_root_leads_there(self, anybody):
        """Until there is a home page, / leads to the docs."""
        response = anybody.get("/")

        assert response.status_code == 302
        assert response.headers["Location"] == "/docs"


class TestSwaggerUi:
    def test_shows_what_is_current(self, anybody):
        """The page shows OpenAPI 3.1, which Swagger UI 4 could not."""
        page = anybody.get("/docs").text
        locked = json.loads((ROOT / "tools" / "swagger-ui" / "package-lock.json").read_text())

        assert 'data-document="/openapi.json"' in page
        assert locked["packages"]["node_modules/swagger-ui-dist"]["version"].startswith("5.")

    def test_is_the_locked_one(self):
        """The committed files are those of the locked package; if not: make swagger-ui."""
        committed = {path.name: path.read_bytes() for path in COMMITTED.iterdir()}

        assert committed.keys() >= {"swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"}
        assert committed == {name: (INSTALLED / name).read_bytes() for name in committed}
