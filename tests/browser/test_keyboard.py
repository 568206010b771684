"""The pages by the keyboard alone; `make test-browser` installs the browser."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.person import PASSWORD
from tests.support.process_harness import DEMO_PASSWORD, ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Register, sign in as an admin and suspend the new user; return the observations."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("keyboard"))) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        driver = subprocess.run(
            ["node", HERE / "keyboard.mjs", base, DEMO_PASSWORD, PASSWORD],
            capture_output=True,
            text=True,
            timeout=150,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


class TestKeyboard:
    def test_registers(self, observed):
        """WCAG 2.1.1: a person registers without a mouse."""
        assert observed["registered"] == "Your account is ready."

    def test_suspends(self, observed):
        """WCAG 2.1.1: an admin finds and suspends a user without a mouse."""
        assert observed["suspended"] == "The user is suspended."

    def test_first_fault(self, observed):
        """A rejected form has the focus on its first fault."""
        assert observed["firstFault"] == "Email address"

    def test_shown_password(self, observed):
        """The space bar shows the password."""
        assert observed["shown"] == "text"

    def test_skip_link(self, observed):
        """WCAG 2.4.1: the first link skips the navigation."""
        assert observed["skippedTo"] == "main"

    def test_focus_is_visible(self, observed):
        """WCAG 2.4.7, 2.4.13: each element with the focus has an outline of two pixels."""
        assert observed["withoutFocus"] == []
