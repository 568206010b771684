"""The pages that links in emails open."""

import re

import pytest

PAGES = ["/verify-email", "/reset-password"]


@pytest.mark.parametrize("path", PAGES)
class TestPages:
    def test_page(self, tableless_client, path):
        """The link of an email opens an HTML page."""
        page = tableless_client.get(path)

        assert page.status_code == 200
        assert page.mimetype == "text/html"

    def test_assets_are_served(self, tableless_client, path):
        """Every script and style of the page is served by this service."""
        parts = re.findall(r'(?:src|href)="([^"]+)"', tableless_client.get(path).text)

        assert len(parts) == 3
        assert not any(":" in part or part.startswith("/") for part in parts)
        assert {tableless_client.get(f"/{part}", buffered=True).status_code for part in parts} == {
            200
        }

    def test_scripts_have_their_media_type(self, tableless_client, path):
        """With nosniff, a browser runs only scripts served as JavaScript."""
        [script] = re.findall(
            r'<script type="module" src="([^"]+)"', tableless_client.get(path).text
        )
        text = tableless_client.get(f"/{script}", buffered=True).text
        imported = re.findall(r'from "\./([^"]+)"', text)

        for name in (script, *(f"static/account/{name}" for name in imported)):
            assert tableless_client.get(f"/{name}", buffered=True).mimetype == "text/javascript"

    def test_nothing_inline(self, tableless_client, path):
        """The page works under a policy that forbids inline scripts and styles."""
        text = tableless_client.get(path).text

        assert re.findall(r"<script(?! type=\"module\" src=)|<style| style=| on\w+=", text) == []

    def test_policy(self, tableless_client, path):
        """ASVS 3.4.3, 3.4.6: the page runs only our scripts and cannot be framed."""
        policy = tableless_client.get(path).headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

        assert rules["default-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy

    def test_privacy_headers(self, tableless_client, path):
        """ASVS 14.2.1, 14.3.2, 3.4.5: the page is not cached, and sends no referrer."""
        headers = tableless_client.get(path).headers

        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_only_get(self, tableless_client, path, method):
        """The page accepts no POST: its form calls the API."""
        assert tableless_client.open(path, method=method).status_code == 405

    def test_query_is_not_rendered(self, tableless_client, path):
        """Parameters of the link are not written into the page."""
        assert "evil" not in tableless_client.get(f"{path}?token=evil&x=<script>evil").text

    def test_not_in_the_description(self, tableless_client, path):
        """Pages are not part of the API description."""
        assert path not in tableless_client.get("/openapi.json").json["paths"]


class TestResetPassword:
    def test_form(self, tableless_client):
        """ASVS 6.2.6, 6.2.7: the password is masked, can be shown, and password managers work."""
        text = tableless_client.get("/reset-password").text
        [field] = re.findall(r'<input id="new-password"[^>]*>', text)

        assert 'type="password"' in field
        assert 'autocomplete="new-password"' in field
        assert "maxlength" not in field
        assert '<form id="form" method="post"' in text
