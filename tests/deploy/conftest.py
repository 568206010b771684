"""Fixtures of the tests of deploy/."""

import os

import pytest


@pytest.fixture
def bare_environment(monkeypatch) -> None:
    """Remove all settings."""
    for name in [name for name in os.environ if name.startswith(("ROSTER_", "DYNAMODB_", "AWS_"))]:
        monkeypatch.delenv(name)
