"""The pages of an account in a browser; `make test-browser` installs it."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.person import NEW_PASSWORD, PASSWORD
from tests.support.process_harness import ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Register kim, change each thing of the account, and delete it; return the observations."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("account"))) as stage:
        base = f"http://127.0.0.1:{stage.serve(ROSTER_NAME='Acme').port}"
        driver = subprocess.run(
            ["node", HERE / "account.mjs", base, PASSWORD, NEW_PASSWORD],
            capture_output=True,
            text=True,
            timeout=150,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


class TestAccount:
    def test_profile(self, observed):
        """The name is saved, and shown as it was typed."""
        assert observed["profile"] == "Your profile is saved."
        assert observed["name"] == "Kim \u05d0 <b>bold</b>"

    def test_email(self, observed):
        """The address is verified, and a new one replaces it once its link is opened."""
        assert observed["verified"] == "Your email address is verified."
        assert "kim@example.com" in observed["pending"]
        assert "kim@example.org" in observed["pending"]
        assert "kim@example.com" not in observed["email"]

    def test_second_factor(self, observed):
        """The QR code can be scanned on a phone, and the recovery codes can be downloaded."""
        assert observed["scannedSecret"] is True
        assert observed["issuer"] == "Acme"
        assert observed["codes"] == 10
        assert observed["downloaded"] is True

    def test_recovery_codes(self, observed):
        """The recovery codes can be copied, and printed without the navigation."""
        assert observed["copied"] is True
        assert observed["printed"] is True
        assert observed["onPaper"] == [True, False]

    def test_sessions(self, observed):
        """A session in another browser, which signed in with a code, is ended."""
        assert observed["sessions"] == 2
        assert observed["ended"] == "The session has ended."
        assert observed["otherIsAt"] == "/sign-in"

    def test_api_key(self, observed):
        """A created key works."""
        assert observed["keyWorks"] == 200

    def test_password(self, observed):
        """The password is changed."""
        assert observed["password"].startswith("Your password is changed")

    def test_activity(self, observed):
        """What has happened is listed, newest first."""
        assert observed["events"][0] == "Password changed"
        assert observed["events"][-1] == "Account created"

    def test_data(self, observed):
        """The data is exported, and the account deleted."""
        assert observed["exported"] == "kim@example.org"
        assert observed["deleted"] == "Your account is deleted."


class TestPages:
    def test_phone(self, observed):
        """No page is wider than a phone of 390 pixels."""
        assert observed["overflow"] == []

    def test_console_is_empty(self, observed):
        """The console has no errors of scripts or policy; rejections are 4xx responses."""
        errors = [text for text in observed["console"] if "Failed to load resource" not in text]

        assert errors == []
