"""What was acknowledged survives a crash, and what is stored agrees with itself."""

import http.client
import threading
from dataclasses import dataclass

import pytest
from flask import Flask

from flask_pynamodb.local import Engine
from models import db
from roster.app import create_app
from roster.config import Config
from tests.support.invariants import audited_users
from tests.support.process_harness import Running, Stage, wait_for


@dataclass
class Crowd:
    """People who sign up in parallel, every other one as an admin, until the service is gone."""

    service: Running
    token: str

    def __post_init__(self) -> None:
        self.welcome: list[str] = []
        self.threads = [threading.Thread(target=self._sign_up, args=(n,)) for n in range(8)]
        for thread in self.threads:
            thread.start()

    def until(self, number: int) -> None:
        wait_for(lambda: len(self.welcome) >= number, f"{number} have signed up")

    def is_gone(self) -> bool:
        for thread in self.threads:
            thread.join()
        return True

    def _sign_up(self, number: int) -> None:
        for turn in range(100_000):
            name, role = f"user-{number}-{turn}", ("user", "admin")[turn % 2]
            try:
                answer = self.service.sign_up(name, self.token, roles=[role])
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 201:
                self.welcome.append(name)


def app_on(engine: Engine) -> Flask:
    return create_app(
        Config(
            secret_key="only for tests",
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
    @pytest.mark.parametrize("moment", [1, 20, 60])
    def test_in_the_middle_of_sign_ups(self, stage: Stage, moment: int):
        """Who was told 201 can sign in; no name is claimed for nobody; the admins are counted."""
        service = stage.serve(ROSTER_RATE_LIMITS="off")
        crowd = Crowd(service, service.token_of("john"))
        crowd.until(moment)
        stage.kill_everything()
        service.ended()
        assert crowd.is_gone()

        with Engine(stage.data) as engine, app_on(engine).app_context(), db.allow_scan():
            users = audited_users()
        again = stage.serve(ROSTER_RATE_LIMITS="off")

        assert {user.username for user in users} >= {"john", "jane", *crowd.welcome}
        assert {again.sign_in(name).status for name in crowd.welcome} == {201}
