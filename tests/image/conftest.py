"""Fixtures of the tests of the image."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from flask_pynamodb.local import Engine
from tests.support.container import Image
from tests.support.secret_key import SECRET_KEY

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip these tests where no image was built, or perhaps an older one."""
    if "TEST_IMAGE" not in os.environ:
        missing = pytest.mark.skip(reason="make test-image builds and tests the image")
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(missing)


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """The image that `make test-image` has built."""
    with Image() as image:
        yield image


@pytest.fixture(scope="session")
def settings(image: Image, dynamodb_engine: Engine) -> dict[str, str]:
    """Settings for the engine, whose tables a command of the image has created."""
    settings = {
        "ROSTER_SECRET_KEY": SECRET_KEY,
        "ROSTER_WORKERS": "2",
        "DYNAMODB_HOST": dynamodb_engine.host,
        "DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    created = image.run("roster", "dynamodb", "create", **settings)
    assert created.returncode == 0, created.stdout
    return settings
