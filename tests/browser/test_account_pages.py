"""The account pages in a browser; `make test-browser` installs it."""

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
    """Follow the links of a new user's emails; return the observations."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("account"))) as stage:
        service = stage.serve()
        # The addresses of the demo users are verified.
        mia = {"username": "mia", "email": "mia@example.com", "password": PASSWORD}
        assert service.call("POST", "/v1/users", mia).status == 201
        driver = subprocess.run(
            [
                *("node", HERE / "account.mjs", f"http://127.0.0.1:{service.port}"),
                *(PASSWORD, NEW_PASSWORD),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert driver.returncode == 0, driver.stderr
        login = {"login": "mia", "password": NEW_PASSWORD}
        signed_in = service.call("POST", "/v1/sessions", login)
        yield {**json.loads(driver.stdout), "base": f"http://127.0.0.1:{service.port}"} | {
            "sign_in": signed_in.status,
            "user": signed_in.body.get("user"),
        }


class TestVerifyEmail:
    def test_button_verifies(self, observed):
        """The button in the email opens a page, and the button there verifies the email."""
        assert observed["messages"]["verified"].startswith("Your email address is confirmed.")
        assert observed["user"]["email_verified"] is True

    def test_needs_the_account(self, observed):
        """The owner of the mailbox verifies only an account whose password they know (H6)."""
        assert "not the password of the account" in observed["messages"]["stranger"]

    def test_works_once(self, observed):
        """A second use of the link shows why it fails."""
        assert "not valid" in observed["messages"]["twice"]


class TestResetPassword:
    def test_new_password(self, observed):
        """The page sets the entered password."""
        assert observed["messages"]["reset"].startswith("Your password is changed.")
        assert observed["formIsGone"] is True
        assert observed["sign_in"] == 201

    def test_rejection_is_shown(self, observed):
        """A rejected password shows the reason, and another one can be entered."""
        assert "at least 15 characters" in observed["messages"]["weak"]

    def test_password_can_be_shown(self, observed):
        """ASVS 6.2.6: the password can be shown."""
        assert observed["shown"] == "text"

    def test_no_token(self, observed):
        """Without a token the page says what to do."""
        assert "Open the link in the email" in observed["messages"]["without"]


class TestSecrecy:
    def test_token_leaves_the_address_bar(self, observed):
        """ASVS 14.2.1: the token is removed from the address bar and the history."""
        assert observed["addresses"] == {
            "verify": f"{observed['base']}/verify-email",
            "reset": f"{observed['base']}/reset-password",
        }

    def test_no_request_has_it_in_its_address(self, observed):
        """ASVS 14.2.1: no request has the token in its URL."""
        assert [url for url in observed["withToken"] if "#" not in url.split("token=")[0]] == []

    def test_console_is_empty(self, observed):
        """The console has no errors of scripts or policy; rejections are 4xx responses."""
        errors = [text for text in observed["console"] if "Failed to load resource" not in text]

        assert errors == []
