"""What the README promises of `make run`, by links and buttons only; see `make test-browser`."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.person import PASSWORD
from tests.support.process_harness import ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Use the service from its start page on, without typing a URL; return the observations."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("newcomer"))) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        driver = subprocess.run(
            ["node", HERE / "newcomer.mjs", base, PASSWORD],
            capture_output=True,
            text=True,
            timeout=150,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


class TestNewcomer:
    def test_registers(self, observed):
        """A person registers, and verifies the address by the mailbox."""
        assert observed["registered"] == "Your account is ready."
        assert observed["first"].startswith("Verify your email address first.")
        assert observed["sent"].startswith("An email with a link is on its way.")
        assert observed["verified"] == "Your email address is verified."

    def test_second_factor(self, observed):
        """The person sets up a second factor, and signs in with it."""
        assert observed["enabled"] == "Your second factor is on."
        assert observed["signedOut"] == "You are signed out."

    def test_admin(self, observed):
        """John finds the person by the address, and suspends the account."""
        assert observed["suspended"] == "The user is suspended."
        assert observed["status"] == "suspended"

    def test_no_errors(self, observed):
        """Nothing on the way is an error in the console."""
        assert observed["errors"] == []
