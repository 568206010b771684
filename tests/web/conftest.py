"""Fixtures of the tests of pages."""

import pytest
from flask import Flask

from tests.support.page_client import PageClient
from tests.support.person import PASSWORD, Person


@pytest.fixture
def browser(app: Flask) -> PageClient:
    """Return a browser that is not signed in."""
    return PageClient(app)


@pytest.fixture
def janes_browser(app: Flask, jane: Person) -> PageClient:
    """Return a browser in which jane is signed in."""
    return PageClient(app).sign_in("jane", PASSWORD)


@pytest.fixture
def tableless_browser(app_without_tables: Flask) -> PageClient:
    """Return a browser at an app without tables."""
    return PageClient(app_without_tables)
