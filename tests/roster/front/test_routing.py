"""The lane of a request."""

import pytest

from roster.front.routing import Router

ID = "01a1fb07-5f9c-7229-8e0e-c7853035f505"
HASHING = [
    ("POST", "/v1/users"),
    ("POST", "/v1/sessions"),
    ("POST", "/v1/sessions/current/reauthenticate"),
    ("POST", "/v1/password-resets/confirm"),
    ("PUT", f"/v1/users/{ID}/password"),
    ("PUT", "/v1/users/me/password"),
]
OTHERS = [
    ("GET", "/v1/users"),
    ("GET", "/v1/users/me"),
    ("PATCH", "/v1/users/me"),
    ("POST", "/v1/users/me/api-keys"),
    ("POST", "/v1/users/a/b/password"),
    ("PUT", "/v1/users/me/password/"),
    ("DELETE", "/v1/sessions"),
    ("POST", "/health/live"),
]


@pytest.mark.parametrize("method, path", HASHING)
def test_hashing(app, method, path):
    """Operations that hash a password have a lane of their own."""
    assert Router(app).hashes_password(method, path)


@pytest.mark.parametrize("method, path", OTHERS)
def test_others(app, method, path):
    """All other requests share the other lane."""
    assert not Router(app).hashes_password(method, path)
