"""What the app does when DynamoDB, or the way to it, fails at one write or at all of them."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flask_pynamodb.local import Engine
from roster.config import Config
from tests.support.faulty_proxy import FaultyProxy

# How waits between tries compare with those of a service: up to seconds, after throttling.
_HASTE = 50


@pytest.fixture
def proxy(dynamodb_engine: Engine) -> Iterator[FaultyProxy]:
    with FaultyProxy(dynamodb_engine.host) as proxy:
        yield proxy


@pytest.fixture
def config(config: Config, proxy: FaultyProxy, fast_sleep: None) -> Config:
    """The app reaches the engine by way of the proxy, and does not try for long."""
    way = {
        "DYNAMODB_HOST": proxy.url,
        "DYNAMODB_BASE_BACKOFF_MS": 1,
        "DYNAMODB_MAX_RETRY_ATTEMPTS": 1,
    }
    return replace(config, dynamodb={**config.dynamodb, **way})


@pytest.fixture
def fast_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every sleep."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(seconds / _HASTE))
