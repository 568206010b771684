"""Swagger UI in a browser; `make test-browser` installs it."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.openapi.swagger import operations
from tests.support.openapi_client import DOCUMENT
from tests.support.process_harness import DEMO_PASSWORD, ProcessHarness

HERE = Path(__file__).parent
CHROMIUM = Path("/usr/bin/chromium")
PACKAGES = json.loads((HERE / "package.json").read_text())["dependencies"]
IS_INSTALLED = CHROMIUM.exists() and all(
    (HERE / "node_modules" / each).exists() for each in PACKAGES
)

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Sign in as john, authorize, list users, create a user and a key; return the observations."""
    folder = tmp_path_factory.mktemp("browser")
    with contextlib.closing(ProcessHarness(folder)) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        driver = subprocess.run(
            ["node", str(HERE / "docs.mjs"), base, DEMO_PASSWORD, str(folder / "docs.png")],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert driver.returncode == 0, driver.stderr
        yield {**json.loads(driver.stdout), "screenshot": folder / "docs.png"}


class TestPage:
    def test_shows_openapi_3_1(self, observed):
        """The page shows the OpenAPI 3.1 description, not the Swagger 2.0 one."""
        assert observed["version"] == "OAS 3.1"

    def test_shows_every_operation(self, observed):
        """Every described operation is on the page."""
        described = {operation["operationId"] for _, _, operation in operations(DOCUMENT)}

        assert observed["shown"] == sorted(described)

    def test_authorized_once(self, observed):
        """A token or a key authorizes all operations, also after a reload."""
        assert observed["statuses"] == {
            "sign_in": 201,
            "list_users": 200,
            "create_user": 201,
            "create_api_key": 201,
            "get_user": 200,
        }

    def test_console_is_empty(self, observed):
        """The console has no errors of scripts or policy."""
        assert "default-src 'none'" in observed["policy"]
        assert observed["console"] == []

    def test_no_request_leaves_the_host(self, observed):
        """The page loads nothing from other hosts."""
        assert observed["foreign"] == []

    def test_screenshot(self, observed):
        """The screenshot of the README can be created again."""
        assert observed["screenshot"].read_bytes().startswith(b"\x89PNG")
