"""Swagger UI in a real browser: `make test-browser` installs what this needs."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.openapi.swagger import operations
from tests.support.openapi_client import DOCUMENT
from tests.support.process_harness import PASSWORD, Stage

HERE = Path(__file__).parent
CHROMIUM = Path("/usr/bin/chromium")
IS_INSTALLED = CHROMIUM.exists() and (HERE / "node_modules" / "playwright-core").exists()

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What happens when john signs in, authorizes, lists users, creates one, and makes a key."""
    folder = tmp_path_factory.mktemp("browser")
    with contextlib.closing(Stage(folder)) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        tour = subprocess.run(
            ["node", str(HERE / "docs.mjs"), base, PASSWORD, str(folder / "docs.png")],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert tour.returncode == 0, tour.stderr
        yield {**json.loads(tour.stdout), "screenshot": folder / "docs.png"}


class TestPage:
    def test_shows_openapi_3_1(self, seen):
        """The page shows the new description, not the old one."""
        assert seen["version"] == "OAS 3.1"

    def test_shows_every_operation(self, seen):
        """What is described is there."""
        described = {said["operationId"] for _, _, said in operations(DOCUMENT)}

        assert seen["shown"] == sorted(described)

    def test_authorized_once(self, seen):
        """A token that was given once serves all operations, after a reload too; so does a key."""
        assert seen["answers"] == {
            "sign_in": 201,
            "list_users": 200,
            "create_user": 201,
            "create_api_key": 201,
            "get_user": 200,
        }

    def test_nothing_in_the_console(self, seen):
        """The browser finds no fault, neither with the scripts nor with the policy."""
        assert "default-src 'none'" in seen["policy"]
        assert seen["console"] == []

    def test_no_request_leaves_the_host(self, seen):
        """The page needs nothing from anywhere else."""
        assert seen["foreign"] == []

    def test_screenshot(self, seen):
        """The picture in the README can be made anew."""
        assert seen["screenshot"].read_bytes().startswith(b"\x89PNG")
