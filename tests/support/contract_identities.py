"""The accounts of schemathesis's requests, which can be signed out, suspended and deleted.

Loaded by schemathesis (`SCHEMATHESIS_HOOKS`). Requests that end the session or the account of the
caller use an account created for them; after that the next one is created.
"""

import os
import re
from typing import Any
from uuid import uuid4

import requests
import schemathesis

BASE = os.environ["ROSTER_BASE"]
PASSWORD = "correct horse battery staple"
ROLE = os.environ["ROSTER_ROLE"]
# Signed in before the run, to create the other accounts.
KEEPER = {"Authorization": f"Bearer {os.environ['ROSTER_KEEPER']}"}
OF_ONESELF = {
    "change_password",
    "create_api_key",
    "enrol_second_factor",
    "confirm_second_factor",
    "disable_second_factor",
    "renew_recovery_codes",
}
KEEPER_ID = requests.get(f"{BASE}/v1/users/me", headers=KEEPER, timeout=30).json()["id"]


def _post(path: str, body: dict[str, Any], status: int = 201, **options: Any) -> dict[str, Any]:
    answer = requests.post(f"{BASE}{path}", json=body, timeout=30, **options)
    assert answer.status_code == status, answer.text
    made: dict[str, Any] = answer.json()
    return made


@schemathesis.auth(refresh_interval=3600, retry_on=[401])
class FuzzAccount:
    """A token of an account without other uses."""

    def get(self, case: Any, context: Any) -> str:
        name = f"fuzz-{uuid4().hex[:16]}"
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        _post("/v1/users", {**account, "roles": [ROLE]}, headers=KEEPER)
        return str(_post("/v1/sessions", {"login": name, "password": PASSWORD})["token"])

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Exclude the keeper, whose ID is in the list of users."""
    parameters = case.path_parameters or {}
    if parameters.get("id") == KEEPER_ID:
        parameters["id"] = str(uuid4())


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Use `me` in most requests that only the user itself can make.

    With any other ID the response is 404.
    """
    name = context.operation.definition.raw["operationId"]
    if name in OF_ONESELF and path_parameters and _is_id(path_parameters.get("id")):
        return {**path_parameters, "id": "me"}
    return path_parameters


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f-]{36}", value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 1024


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Replace valid passwords by ones that the policy accepts, and by the correct current one.

    Random texts are repetitive, so nearly all of them would violate the password rules.
    """
    if isinstance(body, dict):
        for name in ("password", "current_password"):
            if _is_text(body.get(name)):
                body = {**body, name: PASSWORD}
        if _is_text(body.get("new_password")):
            body = {**body, "new_password": f"a stone bridge {uuid4()}"}
    return body
