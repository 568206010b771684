"""The minimum time of a failed sign-in (M2; ASVS 6.3.8): by count, not by clock."""

from datetime import timedelta

import pytest

from api import delays
from tests.support.person import PASSWORD

WRONG = "not the password at all"


@pytest.fixture
def delay_of(make_app, jane, monkeypatch):
    """Return a function that signs in, and returns the status and the delay."""
    app = make_app(failed_sign_in_time=timedelta(seconds=1))
    environs = []
    inner = app.wsgi_app

    def server(environ, start_response):
        environs.append(environ)
        return inner(environ, start_response)

    monkeypatch.setattr(app, "wsgi_app", server)
    client = app.test_client()

    def attempt(login, password):
        response = client.post("/v1/sessions", json={"login": login, "password": password})
        return response.status_code, environs[-1].get(delays.MIN_SECONDS)

    return attempt


@pytest.mark.parametrize("login", ["unknown", "jane", "jane@example.com", "@"])
def test_failed(delay_of, login):
    """The response to a failed sign-in is delayed, whether the account exists or not."""
    assert delay_of(login, WRONG) == (401, 1.0)


def test_success(delay_of):
    """A successful sign-in is not delayed."""
    assert delay_of("jane", PASSWORD) == (201, None)
