"""Both API descriptions: generated once, served, committed."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from api import openapi
from roster.cli import cli
from tests.support.secret_key import SECRET_KEY

NAMES = list(openapi.PATHS)


class TestDocuments:
    @pytest.mark.parametrize("name", NAMES)
    def test_committed_file_is_current(self, app_without_tables, name):
        """openapi/*.json matches the code; if this fails, run `make openapi`."""
        assert openapi.PATHS[name].read_text() == openapi.render(app_without_tables, name)

    @pytest.mark.parametrize("seed", ["1", "2"])
    def test_output_is_deterministic(self, seed):
        """The descriptions do not depend on the iteration order of sets."""
        script = (
            "import api.openapi as o, roster.app; app = roster.app.create_app();"
            " print(*(o.render(app, name) for name in o.PATHS), sep='', end='')"
        )
        environment = {**os.environ, "ROSTER_SECRET_KEY": SECRET_KEY, "PYTHONHASHSEED": seed}

        run = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        )

        assert run.stdout.decode() == "".join(openapi.PATHS[name].read_text() for name in NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_served(self, tableless_client, name):
        """/openapi.json and /swagger.json serve the committed files."""
        response = tableless_client.get(f"/{name}.json")

        assert response.status_code == 200
        assert response.mimetype == "application/json"
        assert response.json == json.loads(openapi.PATHS[name].read_text())

    def test_command_writes_both_files(self, app_without_tables, monkeypatch, tmp_path):
        """`roster openapi write` writes both files."""
        paths = {name: tmp_path / name for name in NAMES}
        monkeypatch.setattr(openapi, "PATHS", paths)

        monkeypatch.delenv("ROSTER_SECRET_KEY", raising=False)

        result = CliRunner().invoke(cli, ["openapi", "write"])

        assert result.exit_code == 0, result.output
        assert {name: path.read_text() for name, path in paths.items()} == {
            name: openapi.render(app_without_tables, name) for name in NAMES
        }
