"""The pages for people in a real browser: `make test-browser` installs what this needs."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.process_harness import Stage

NEW_PASSWORD = "a stone bridge over the river"

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What happens when jane follows the links of her mails."""
    with contextlib.closing(Stage(tmp_path_factory.mktemp("account"))) as stage:
        service = stage.serve()
        tour = subprocess.run(
            ["node", HERE / "account.mjs", f"http://127.0.0.1:{service.port}", NEW_PASSWORD],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert tour.returncode == 0, tour.stderr
        login = {"login": "jane", "password": NEW_PASSWORD}
        signed_in = service.call("POST", "/v1/sessions", login)
        yield {**json.loads(tour.stdout), "base": f"http://127.0.0.1:{service.port}"} | {
            "sign_in": signed_in.status,
            "user": signed_in.body.get("user"),
        }


class TestVerifyEmail:
    def test_button_confirms(self, seen):
        """From the mail by a button to a page, and by its button to a confirmed address."""
        assert seen["said"]["verified"].startswith("Your address is confirmed.")
        assert seen["user"]["email_verified"] is True

    def test_works_once(self, seen):
        """Whoever follows the link again is told why it does not work."""
        assert "not valid" in seen["said"]["twice"]


class TestResetPassword:
    def test_new_password_counts(self, seen):
        """The page sets the password that the person typed."""
        assert seen["said"]["reset"].startswith("Your password is changed.")
        assert seen["formIsGone"] is True
        assert seen["sign_in"] == 201

    def test_refusal_is_told(self, seen):
        """A password that is refused is refused with the reason, and another one may be tried."""
        assert "at least 15 characters" in seen["said"]["weak"]

    def test_password_can_be_shown(self, seen):
        """ASVS 6.2.6: who types it may look at it."""
        assert seen["shown"] == "text"

    def test_no_token(self, seen):
        """Without a token the page says what to do."""
        assert "Open the link in the mail" in seen["said"]["without"]


class TestSecrecy:
    def test_token_leaves_the_address_bar(self, seen):
        """ASVS 14.2.1: neither the address bar nor the history keeps the token."""
        assert seen["addresses"] == {
            "verify": f"{seen['base']}/verify-email",
            "reset": f"{seen['base']}/reset-password",
        }

    def test_no_request_has_it_in_its_address(self, seen):
        """ASVS 14.2.1: no server is sent the token in an address."""
        assert [url for url in seen["withToken"] if "#" not in url.split("token=")[0]] == []

    def test_nothing_in_the_console(self, seen):
        """The browser finds no fault with scripts or policy; refusals are answers 4xx."""
        faults = [text for text in seen["console"] if "Failed to load resource" not in text]

        assert faults == []
