"""The routes that take a body, and a body that each of them takes."""

import pytest

from tests.support.person import PASSWORD
from tests.support.responses import ADA, NEW_PASSWORD

ROUTES = [
    pytest.param(("POST", "/v1/users"), id="register"),
    pytest.param(("PATCH", "/v1/users/me"), id="change"),
    pytest.param(("PUT", "/v1/users/me/password"), id="password"),
    pytest.param(("POST", "/v1/sessions"), id="sign-in"),
]
# Read and checked as those are, by the same decorator: what differs is which members they have.
OTHER_ROUTES = [
    pytest.param(("POST", "/v1/sessions/current/reauthenticate"), id="reauthenticate"),
    pytest.param(("POST", "/v1/users/me/second-factor/confirm"), id="confirm-second-factor"),
    pytest.param(("POST", "/v1/users/me/api-keys"), id="make-a-key"),
    pytest.param(("POST", "/v1/password-resets"), id="ask-for-a-reset"),
    pytest.param(("POST", "/v1/password-resets/confirm"), id="reset"),
    pytest.param(("POST", "/v1/email-verifications"), id="ask-to-confirm"),
    pytest.param(("POST", "/v1/email-verifications/confirm"), id="confirm-an-address"),
]
# What a test adds to one of these is its only fault.
GOOD = {
    "/v1/users": ADA,
    "/v1/users/me": {"full_name": "Jane"},
    "/v1/users/me/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "/v1/sessions": {"login": "jane", "password": PASSWORD},
    "/v1/sessions/current/reauthenticate": {"password": PASSWORD},
    "/v1/users/me/second-factor/confirm": {"otp": "123456"},
    "/v1/users/me/api-keys": {"name": "nightly"},
    "/v1/password-resets": {"email": "jane@example.com"},
    "/v1/password-resets/confirm": {"token": "rso_none", "new_password": NEW_PASSWORD},
    "/v1/email-verifications": {"email": "jane@example.com"},
    "/v1/email-verifications/confirm": {"token": "rso_none"},
}
