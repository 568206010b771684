"""Acknowledged writes survive a crash, and the stored rows are consistent."""

import http.client
import threading
from dataclasses import dataclass

import pytest
from flask import Flask

from flask_pynamodb.local import Engine
from models import db
from roster.app import create_app
from roster.config import Config
from tests.support.engine import local_engine
from tests.support.invariants import audited_users
from tests.support.process_harness import ProcessHarness, Running, wait_for

IS_COVERED = False


@dataclass
class ParallelSignUps:
    """Clients that sign up in parallel, every other user as an admin, until the service ends."""

    service: Running
    token: str

    def __post_init__(self) -> None:
        self.created: list[str] = []
        self.threads = [threading.Thread(target=self._sign_up, args=(n,)) for n in range(8)]
        for thread in self.threads:
            thread.start()

    def wait_for_created(self, number: int) -> None:
        wait_for(lambda: len(self.created) >= number, f"{number} users have signed up")

    def join(self) -> bool:
        for thread in self.threads:
            thread.join()
        return True

    def _sign_up(self, number: int) -> None:
        for index in range(100_000):
            name, role = f"user-{number}-{index}", ("user", "admin")[index % 2]
            try:
                response = self.service.sign_up(name, self.token, roles=[role])
            except (OSError, http.client.HTTPException):
                return
            if response.status == 201:
                self.created.append(name)


def app_on(engine: Engine) -> Flask:
    return create_app(
        Config(
            secret_keys=("only for tests",),
            dynamodb={
                "DYNAMODB_HOST": engine.host,
                "DYNAMODB_REGION": "us-east-1",
                "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
                "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
                "DYNAMODB_TABLE_PREFIX": "roster-",
            },
        )
    )


class TestKilled:
    @pytest.mark.parametrize("created_before", [1, 20, 60])
    def test_during_sign_ups(self, harness: ProcessHarness, created_before: int):
        """Users with a 201 can sign in; no reservation lacks its user; the admin count is right."""
        service = harness.serve(ROSTER_RATE_LIMITS="off")
        sign_ups = ParallelSignUps(service, service.token_of("john"))
        sign_ups.wait_for_created(created_before)
        harness.kill_everything()
        service.ended()
        assert sign_ups.join()

        with local_engine(harness.data) as engine, app_on(engine).app_context(), db.allow_scan():
            users = audited_users()
        restarted = harness.serve(ROSTER_RATE_LIMITS="off")

        assert {user.username for user in users} >= {"john", "jane", *sign_ups.created}
        assert {restarted.sign_in(name).status for name in sign_ups.created} == {201}
