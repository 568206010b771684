"""Functions of an operator in a running service: hanging ones, and the end of the service."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.services.timed_calls import MAX_ABANDONED
from tests.support.process_harness import PROJECT

HANGING = """
import time

def before_registration(registration):
    while registration.user.username.startswith("slow"):
        time.sleep(3600)

def after_sign_in(sign_in):
    time.sleep(3600)
"""
REFUSING = """
from roster.hooks import Refusal

def before_registration(registration):
    raise Refusal("Closed.")
"""


@pytest.fixture
def settings(tmp_path):
    """Return a function that returns settings with a module of hooks."""

    def with_module(text):
        folder = tmp_path / "modules"
        folder.mkdir()
        (folder / "our_hooks.py").write_text(text)
        path = f"{folder}{os.pathsep}{PROJECT}"
        return {"PYTHONPATH": path, "ROSTER_HOOKS": "our_hooks", "ROSTER_HOOK_SECONDS": "1s"}

    return with_module


class TestHangingFunctions:
    def test_service_goes_on(self, harness, settings):
        """Functions that never return fail their own requests only, and the service stops."""
        service = harness.serve(**settings(HANGING), ROSTER_WORKERS="1", ROSTER_RATE_LIMITS="off")
        names = [f"slow-{number}" for number in range(3 * MAX_ABANDONED)]
        with ThreadPoolExecutor(len(names)) as pool:
            answers = list(pool.map(service.sign_up, names))
        types = {answer.body["type"] for answer in answers}
        live = service.call("GET", "/health/live").status
        john = service.sign_in("john")
        me = service.call("GET", "/v1/users/me", token=john.body["token"])

        assert {answer.status for answer in answers} == {503}
        assert types <= {"/problems/hook-failed", "/problems/busy"}
        assert (live, john.status, me.status) == (200, 201, 200)
        assert "it was not called, since too many earlier calls still run" in service.said
        assert service.stop() == 0
        assert harness.is_empty()


class TestLocalMode:
    def test_demo_users(self, harness, settings):
        """The demo users exist, also where a function refuses every registration."""
        service = harness.serve(**settings(REFUSING))

        assert service.sign_in("john").status == 201
        assert service.sign_up("ada").status == 422

    def test_commands(self, harness, settings):
        """Commands pass the same functions, and print the refusal in one line."""
        harness.serve()
        status, said = harness.run(
            "users", "--local", "--data", str(harness.data),
            "create", "ada", "ada@example.com", "--no-password",
            **settings(REFUSING),
        )  # fmt: skip

        assert (status, said) == (1, "Error: Closed.\n")
