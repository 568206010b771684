"""The page that shows the API description."""

import re


class TestDocs:
    def test_page(self, client):
        """/docs is an HTML page that needs no other host."""
        page = client.get("/docs")

        assert page.status_code == 200
        assert page.mimetype == "text/html"
        assert not re.findall(r'(?:src|href|data-document)="(?:https?:)?//', page.text)

    def test_its_parts_are_there(self, client):
        """Every script, style and document that the page names can be had."""
        page = client.get("/docs")

        parts = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)

        assert len(parts) >= 4
        assert {client.get(part, buffered=True).status_code for part in parts} == {200}

    def test_scripts_are_scripts(self, client):
        """Under nosniff a browser runs only what says that it is JavaScript."""
        scripts = re.findall(r'<script src="([^"]+)"', client.get("/docs").text)

        types = {client.get(script, buffered=True).mimetype for script in scripts}
        assert types == {"text/javascript"}

    def test_no_inline_script(self, client):
        """The page works under a policy that forbids inline scripts."""
        assert re.findall("<script(?! src=)", client.get("/docs").text) == []

    def test_root_leads_there(self, client):
        """Until there is a home page, / leads to the docs."""
        response = client.get("/")

        assert response.status_code == 302
        assert response.headers["Location"] == "/docs"
