"""The pages that the links of mails lead to."""

import re

import pytest

PAGES = ["/verify-email", "/reset-password"]


@pytest.mark.parametrize("path", PAGES)
class TestPages:
    def test_page(self, anybody, path):
        """The link of a mail leads to an HTML page."""
        page = anybody.get(path)

        assert page.status_code == 200
        assert page.mimetype == "text/html"

    def test_its_parts_are_there(self, anybody, path):
        """Every script and style that the page names can be had, of this service."""
        parts = re.findall(r'(?:src|href)="([^"]+)"', anybody.get(path).text)

        assert len(parts) == 3
        assert not any(":" in part or part.startswith("/") for part in parts)
        assert {anybody.get(f"/{part}", buffered=True).status_code for part in parts} == {200}

    def test_scripts_are_scripts(self, anybody, path):
        """Under nosniff a browser runs only what says that it is JavaScript."""
        [script] = re.findall(r'<script type="module" src="([^"]+)"', anybody.get(path).text)
        text = anybody.get(f"/{script}", buffered=True).text
        [imported] = re.findall(r'from "\./([^"]+)"', text)

        for name in (script, f"static/account/{imported}"):
            assert anybody.get(f"/{name}", buffered=True).mimetype == "text/javascript"

    def test_nothing_inline(self, anybody, path):
        """The page works under a policy that forbids inline scripts and styles."""
        text = anybody.get(path).text

        assert re.findall(r"<script(?! type=\"module\" src=)|<style| style=| on\w+=", text) == []

    def test_policy(self, anybody, path):
        """ASVS 3.4.3, 3.4.6: the page runs our scripts alone, and nobody frames it."""
        policy = anybody.get(path).headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

        assert rules["default-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy

    def test_tells_nobody(self, anybody, path):
        """ASVS 14.2.1, 14.3.2, 3.4.5: the page is not stored, and its address is not told."""
        headers = anybody.get(path).headers

        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_only_read(self, anybody, path, method):
        """The page itself takes nothing: what it sends goes to the API."""
        assert anybody.open(path, method=method).status_code == 405

    def test_query_does_not_show(self, anybody, path):
        """Nothing that a link brings is written into the page."""
        assert "evil" not in anybody.get(f"{path}?token=evil&x=<script>evil").text

    def test_not_in_the_description(self, anybody, path):
        """Pages for people are no part of the API."""
        assert path not in anybody.get("/openapi.json").json["paths"]


class TestResetPassword:
    def test_form(self, anybody):
        """ASVS 6.2.6, 6.2.7: the password is masked, can be shown, and managers may help."""
        text = anybody.get("/reset-password").text
        [field] = re.findall(r'<input id="new-password"[^>]*>', text)

        assert 'type="password"' in field
        assert 'autocomplete="new-password"' in field
        assert "maxlength" not in field
        assert '<form id="form" method="post"' in text
