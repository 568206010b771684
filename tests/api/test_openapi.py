"""The API description, the committed copy of it, and the page that shows it."""

import os
import re
import subprocess
import sys

import pytest

from api import create_app, openapi
from models import CHEAPEST

# What every URL takes and no description lists.
IMPLIED = {"HEAD", "OPTIONS"}
DESCRIBED = ("/v1/", "/health/", "/problems/")


@pytest.fixture
def app(config):
    """An app without tables: nothing here asks the store."""
    return create_app(config, profile=CHEAPEST)


@pytest.fixture
def document(app):
    return openapi.swagger(app)


@pytest.fixture
def operations(document):
    """Every operation as (method, path, what is said about it)."""
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


@pytest.fixture
def guarded(operations):
    """The operations that need a session."""
    return [each for each in operations if each[2].get("security") == [{"bearer": []}]]


class TestDocument:
    def test_committed_file_is_current(self, app):
        """openapi/swagger.json is what the code describes; if not: make openapi."""
        assert openapi.PATH.read_text() == openapi.render(app)

    @pytest.mark.parametrize("seed", ["1", "2"])
    def test_every_process_describes_alike(self, seed):
        """The description does not depend on the order in which a process walks its sets."""
        script = "import api, api.config, api.openapi as o; print(o.render(api.create_app()))"
        environment = {**os.environ, "ROSTER_SECRET_KEY": "x", "PYTHONHASHSEED": seed}

        run = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        )

        assert run.stdout.decode().strip() == openapi.PATH.read_text().strip()

    def test_served(self, client, document):
        """/swagger.json serves the committed document."""
        response = client.get("/swagger.json")

        assert response.status_code == 200
        assert response.mimetype == "application/json"
        assert response.json == document

    def test_every_route_and_no_other(self, app, operations):
        """Each route is described with each of its methods, and nothing that is no route."""
        routes = {
            (method, re.sub("<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule))
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith(DESCRIBED)
            for method in rule.methods - IMPLIED
        }

        assert {(method, path) for method, path, _ in operations} == routes

    def test_who_needs_a_session(self, guarded):
        """Exactly the routes of signed-in users ask for a token."""
        assert {(method, path) for method, path, _ in guarded} == {
            ("GET", "/v1/users"),
            ("GET", "/v1/users/{id}"),
            ("PATCH", "/v1/users/{id}"),
            ("DELETE", "/v1/users/{id}"),
            ("PUT", "/v1/users/{id}/password"),
            ("GET", "/v1/users/{id}/sessions"),
            ("DELETE", "/v1/users/{id}/sessions"),
            ("GET", "/v1/sessions"),
            ("DELETE", "/v1/sessions"),
            ("DELETE", "/v1/sessions/current"),
            ("DELETE", "/v1/sessions/{id}"),
        }

    def test_guarded_routes_say_so(self, client, guarded):
        """Each route with a token in its description answers 401 without one, as described."""
        answers = [
            client.open(path.replace("{id}", "me"), method=method) for method, path, _ in guarded
        ]

        assert {answer.status_code for answer in answers} == {401}
        assert all("401" in operation["responses"] for _, _, operation in guarded)

    def test_sign_up_takes_a_token_or_none(self, document):
        """Registering works with and without a token."""
        security = document["paths"]["/v1/users"]["post"]["security"]

        assert security == [{"bearer": []}, {}]

    def test_bodies_are_described(self, operations):
        """Each operation with a body says which media types it takes and what it refuses."""
        writing = [said for method, _, said in operations if method in ("POST", "PUT", "PATCH")]

        assert all(said["consumes"] for said in writing)
        assert all({"400", "413", "415", "422"} <= said["responses"].keys() for said in writing)

    def test_errors_are_problems(self, operations):
        """Every described error has the schema of a problem."""
        errors = [
            answer["schema"]
            for _, _, said in operations
            for status, answer in said["responses"].items()
            if status >= "400"
        ]

        assert errors == [{"$ref": "#/definitions/Problem"}] * len(errors)

    def test_operation_ids_are_unique(self, operations):
        """Generated clients name their functions after the operation ids."""
        ids = [said["operationId"] for _, _, said in operations]

        assert len(set(ids)) == len(ids)

    def test_every_operation_has_a_summary(self, operations):
        """Each operation says in one line what it does."""
        assert all(said["summary"] for _, _, said in operations)

    def test_references_lead_somewhere(self, app, document):
        """Every `$ref` names a definition, and every definition is used."""
        used = set(re.findall(r'"#/definitions/([^"]+)"', openapi.render(app)))

        assert used == set(document["definitions"])

    def test_nothing_secret_is_shown(self, document):
        """No answer has a member for a password or a hash."""
        assert "password" not in str(document["definitions"]["User"])
        assert "hash" not in str(document["definitions"])

    def test_no_pruning(self, app):
        """RESTX's `X-Fields` header is neither described nor known."""
        assert "X-Fields" not in openapi.render(app)


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
