"""Every operation of Swagger UI in a browser: filled in, short, and for every screen and person."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from api.openapi.swagger import operations
from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.openapi_client import DOCUMENT
from tests.support.process_harness import ProcessHarness

# Swagger UI takes a second or more to open an operation.
SECONDS = 480
pytestmark = [
    pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser"),
    pytest.mark.timeout(SECONDS + 60),
]

SECURITY = {each["operationId"]: each["security"] for _, _, each in operations(DOCUMENT)}
# Two screens of 900 pixels.
MAX_HEIGHT = 1800
PHONE_WIDTH = 390
# The results of the values of the page that are no success, for john right after `make run`.
NO_SUCCESS = {
    "delete_user": 409,  # john is the only admin
    "move_names": 422,  # there is no user with the ID of the example
    "end_session": 404,  # of an ID that only the list of sessions has
    "revoke_api_key": 404,  # of an ID that only the list of keys has
    # Of an ID that only the list of clients has.
    "get_client": 404,
    "update_client": 404,
    "delete_client": 404,
    "create_client_secret": 404,
    "revoke_client_secret": 404,
    # Of an ID that only the list of invitations has.
    "get_invitation": 404,
    "resend_invitation": 404,
    "revoke_invitation": 404,
    "accept_invitation": 422,  # the token is in the email
    "confirm_second_factor": 422,  # the code is in the authenticator app
    "disable_second_factor": 404,  # the second factor is not confirmed
    "renew_recovery_codes": 404,  # the second factor is not confirmed
    "confirm_password_reset": 422,  # the token is in the email
    "confirm_email": 422,  # the token is in the email
    # John is no client.
    "introspect_token": 401,
    "create_oauth_token": 401,
}
# Findings in the markup of Swagger UI.
OF_SWAGGER_UI = {
    # The tags are h3 without an h2.
    "moderate heading-order: #operations-tag-users",
}


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Sign in as john with the button, open, measure and execute every operation."""
    folder = tmp_path_factory.mktemp("operations")
    with contextlib.closing(ProcessHarness(folder)) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        driver = subprocess.run(
            ["node", HERE / "docs_operations.mjs", base, folder],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


class TestExecute:
    def test_every_operation(self, observed):
        """Executing an operation untouched succeeds, with few exceptions that have a reason."""
        failed = {name: code for name, code in observed["statuses"].items() if code >= 300}

        assert observed["statuses"].keys() == SECURITY.keys()
        assert failed == NO_SUCCESS

    def test_qr_code(self, observed):
        """A camera reads the URI of a new second factor from the page."""
        assert observed["uri"].startswith("otpauth://totp/Roster:john?secret=")
        assert observed["codes"] == [observed["uri"]]


class TestLayout:
    def test_height(self, observed):
        """An open operation has at most two screens."""
        assert observed["heights"].keys() == SECURITY.keys()
        assert {name: px for name, px in observed["heights"].items() if px > MAX_HEIGHT} == {}

    def test_phone(self, observed):
        """No open operation makes a phone scroll sideways."""
        assert observed["widths"] == dict.fromkeys(SECURITY, PHONE_WIDTH)

    def test_locks(self, observed):
        """A closed lock is an operation that requires a token; a public one has none."""
        required, optional = "Requires a token", "Works with and without a token"
        labels = {True: optional, False: required}

        assert observed["locks"] == {
            name: labels[{} in each] if each else None for name, each in SECURITY.items()
        }

    def test_dark(self, observed):
        """The page follows the preferred color scheme of the system."""
        assert observed["colors"] == {"light": "rgba(0, 0, 0, 0)", "dark": "rgb(28, 32, 34)"}

    def test_console(self, observed):
        """The console has the errors that responses are, and none of scripts or policy."""
        expected = "Failed to load resource: the server responded with a status of"

        assert [each for each in observed["console"] if not each.startswith(expected)] == []


class TestAccessibility:
    @pytest.mark.parametrize("screen", ["light", "dark", "phone"])
    def test_no_findings(self, observed, screen):
        """axe-core has no findings but those in the markup of Swagger UI."""
        assert set(observed["findings"][screen]) <= OF_SWAGGER_UI
