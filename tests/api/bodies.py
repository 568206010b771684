"""The routes that take a body, and a body that each of them takes."""

import pytest

from tests.api.answers import ADA, NEW_PASSWORD
from tests.conftest import PASSWORD

ROUTES = [
    pytest.param(("POST", "/v1/users"), id="register"),
    pytest.param(("PATCH", "/v1/users/me"), id="change"),
    pytest.param(("PUT", "/v1/users/me/password"), id="password"),
    pytest.param(("POST", "/v1/sessions"), id="sign-in"),
]
# What a test adds to one of these is its only fault.
GOOD = {
    "/v1/users": ADA,
    "/v1/users/me": {"full_name": "Jane"},
    "/v1/users/me/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "/v1/sessions": {"login": "jane", "password": PASSWORD},
}
