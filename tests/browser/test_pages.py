"""The pages in a browser; `make test-browser` installs it."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.person import NEW_PASSWORD, PASSWORD
from tests.support.process_harness import ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Use the pages as new users do, with scripts and without; return the observations."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("pages"))) as stage:
        service = stage.serve()
        base = f"http://127.0.0.1:{service.port}"
        driver = subprocess.run(
            ["node", HERE / "pages.mjs", base, PASSWORD, NEW_PASSWORD],
            capture_output=True,
            text=True,
            timeout=150,
        )
        assert driver.returncode == 0, driver.stderr
        login = {"login": "mia", "password": NEW_PASSWORD}
        user = service.call("POST", "/v1/sessions", login).body.get("user")
        yield {**json.loads(driver.stdout), "base": base, "user": user}


class TestSignUp:
    def test_account(self, observed):
        """A person registers and is signed in."""
        assert observed["texts"]["signedUp"] == "Your account is ready."

    def test_faults(self, observed):
        """All rejected fields are marked, and the first one has the focus."""
        assert observed["faulty"] == ["email", "password"]
        assert observed["focus"] == "email"


class TestSignIn:
    def test_wrong_password(self, observed):
        """A wrong password says so, and what was typed stays."""
        assert observed["texts"]["wrong"] == "The login or the password is wrong."
        assert observed["kept"] == "mia"

    def test_cookies(self, observed):
        """The browser keeps the cookies, and no script sees them."""
        assert observed["scriptsSee"] == ""
        assert sorted(observed["cookies"], key=itemgetter("name")) == [
            {"name": name, "httpOnly": True, "sameSite": "Lax"}
            for name in ("roster-device-local", "roster-form-local", "roster-local")
        ]


class TestSignOut:
    def test_foreign_form(self, observed):
        """A form of another site does not sign the user out."""
        assert "Another site has sent this form" in observed["texts"]["foreign"]
        assert observed["stillSignedIn"] == "/account"

    def test_back_button(self, observed):
        """After signing out, the back button shows no page of the account."""
        assert observed["texts"]["signedOut"] == "You are signed out."
        assert observed["afterBack"] == "/sign-in"


class TestVerifyEmail:
    def test_button_verifies(self, observed):
        """The button in the email opens a page, and the button there verifies the email."""
        assert observed["texts"]["verified"] == "Your email address is verified."
        assert observed["user"]["email_verified"] is True


class TestResetPassword:
    def test_new_password(self, observed):
        """The page sets the entered password and signs in."""
        assert observed["texts"]["reset"].startswith("Your password is changed")
        assert observed["user"]["username"] == "mia"

    def test_rejection_is_shown(self, observed):
        """A rejected password shows the reason, and another one can be entered."""
        assert "at least 15 characters" in observed["texts"]["weak"]

    def test_password_can_be_shown(self, observed):
        """ASVS 6.2.6: the password can be shown."""
        assert observed["shown"] == "text"


class TestWithoutScripts:
    def test_account(self, observed):
        """A person registers, and resets the password with the token of the email."""
        assert observed["plain"]["signedUp"] == "/account"
        assert observed["plain"]["reset"].startswith("Your password is changed")


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
