"""The pages of clients in a browser, and their accessibility; `make test-browser` installs it."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.process_harness import DEMO_PASSWORD, ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Create and change a client, and check the pages with axe."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("clients"))) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        driver = subprocess.run(
            ["node", HERE / "clients.mjs", base, DEMO_PASSWORD],
            capture_output=True,
            text=True,
            timeout=170,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


class TestSecret:
    def test_copy(self, observed):
        """The secret is copied with a button."""
        assert observed["copied"] is True

    def test_url(self, observed):
        """The URL of the page with the secret has no part of it, and a reload shows it again."""
        assert observed["secretUrl"] == "/admin/clients/new"
        assert observed["reloaded"] is True

    def test_shown_once(self, observed):
        """The page of the client does not show it, and a name is shown as text."""
        assert observed["secretGone"] is True
        assert observed["name"] == "billing <i>"

    def test_consequences(self, observed):
        """A page says what a change of secrets does before it is done."""
        assert observed["addConsequence"].startswith("The next page shows it, once.")
        assert observed["revokeConsequence"].startswith("Every program that uses it is rejected")


def test_without_scripts(observed):
    """Fields are saved and a secret is revoked without scripts, and the events are listed."""
    assert observed["saved"] == "The changes are saved."
    assert observed["revoked"] == "The secret is revoked."
    assert observed["events"] == ["Client secret revoked", "Client changed", "Client created"]


class TestAccessibility:
    def test_axe(self, observed):
        """WCAG 2.2 AA: axe finds nothing on the pages, light, dark, and on a phone."""
        assert observed["axe"] == []
        assert observed["checked"] == 21

    def test_phone(self, observed):
        """No page is wider than the screen, with the longest audience."""
        assert observed["overflow"] == []

    def test_console_is_empty(self, observed):
        """The console has no errors of scripts; rejections are 4xx responses."""
        errors = [text for text in observed["console"] if "Failed to load resource" not in text]

        assert errors == []
