"""`roster check` on the tables of the test."""

import json

import pytest

from models import db

SCHEMA = {"properties": {"metadata": {"properties": {"theme": {"enum": ["light", "dark"]}}}}}


@pytest.fixture
def strict_app(app, make_app, tmp_path):
    """Return an app with a schema of metadata."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return make_app(metadata_schema=path)


class TestCheck:
    def test_fits(self, run_roster, strict_app, jane):
        """Where all fits, one line says so."""
        jane.patch("/v1/users/me", json={"metadata": {"theme": "dark"}})

        result = run_roster("check", app=strict_app)

        assert (result.exit_code, result.output) == (
            0,
            "Settings, tables and users fit together.\n",
        )

    def test_misfit(self, run_roster, strict_app, jane):
        """A user whose metadata no longer match is reported, without the value; exit status 1."""
        jane.patch("/v1/users/me", json={"metadata": {"theme": "s3cret"}})

        result = run_roster("check", app=strict_app)

        assert result.exit_code == 1
        assert result.output == (
            f'user {jane.id}: /metadata/theme: It is not one of "light" or "dark".\n'
        )

    def test_json(self, run_roster, strict_app, jane):
        """With --json the problems are one document."""
        jane.patch("/v1/users/me", json={"metadata": {"theme": 5}})

        result = run_roster("check", "--json", app=strict_app)

        [problem] = json.loads(result.stdout)
        assert problem["subject"] == f"user {jane.id}"

    def test_tables(self, run_roster, make_app, config):
        """Missing tables are reported, and no user is read then."""
        app = make_app(dynamodb={**config.dynamodb, "DYNAMODB_TABLE_PREFIX": "none-"})
        with app.app_context():
            db.drop_all()

        result = run_roster("check", app=app)

        assert result.exit_code == 1
        assert "tables: " in result.output
        assert "user " not in result.output

    def test_data_without_local(self, run_roster, app):
        """--data needs --local, as for every group."""
        assert run_roster("check", "--data", "x", app=app).exit_code == 2
