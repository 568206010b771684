"""The console in a browser; `make test-browser` installs it."""

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
    """Spend an administrator's day with the console."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("console"))) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        driver = subprocess.run(
            ["node", HERE / "console.mjs", base, DEMO_PASSWORD],
            capture_output=True,
            text=True,
            timeout=170,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


class TestAdmin:
    def test_fields(self, observed):
        """A user is found by the address, and a field is changed; a name is shown as text."""
        assert observed["saved"] == "The changes are saved."
        assert observed["name"] == "Jane <i>Doe</i>"

    def test_suspend(self, observed):
        """The consequence is said before a user is suspended, who then cannot sign in."""
        assert observed["consequence"].startswith("The user cannot sign in")
        assert observed["suspended"] == "The user is suspended."
        assert observed["janeSees"] == "The login or the password is wrong."

    def test_unlock_and_reset(self, observed):
        """A user who is locked out is unlocked, and gets an email to reset the password."""
        assert observed["lockout"].startswith("Too many attempts to sign in.")
        assert int(observed["failures"]) > 0
        assert observed["unlocked"] == "The lockout has ended."
        assert observed["reset"].startswith("An email with a link")
        assert "/reset-password#token=" in observed["emailed"]

    def test_events(self, observed):
        """What happened is listed, newest first."""
        assert observed["events"][0] == "Password reset requested"
        assert set(observed["events"]) >= {
            "Lockout ended by an admin",
            "Locked after failed sign-ins",
            "Account reactivated",
        }

    def test_create(self, observed):
        """A user is created without scripts."""
        assert observed["created"] == "The user is created."


class TestPages:
    def test_console_is_empty(self, observed):
        """The console has no errors of scripts; rejections are 4xx responses."""
        errors = [text for text in observed["console"] if "Failed to load resource" not in text]

        assert errors == []
