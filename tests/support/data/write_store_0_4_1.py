"""Write store-0.4.1.json: a database with rows of every kind, written by Roster 0.4.1.

The file was written once and does not change: tests/roster/test_upgrade.py shows that later
versions work with it. To write it again, run this script in a checkout of 0.4.1 (commit 07bb190):

    make .venv/dev.stamp engine/node_modules/.package-lock.json
    PYTHONPATH=. .venv/bin/python PATH/write_store_0_4_1.py store-0.4.1.json

The passwords, tokens and keys exist only in this file. Sessions, tokens and keys have a lifetime of
a century, so that the tests do not depend on the date.
"""

# isort: skip_file
# Its modules are those of 0.4.1.

import base64
import hmac
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import bcrypt
import botocore.session
from api import create_app
from api.config import Config, MailSettings
from flask import Flask
from flask_pynamodb.local import Engine
from models import Actor, Client, Imports, User, accounts, db, token, updates
from models.attempts import MOST
from models.errors import InvalidCredentials
from models.moment import now

NOTE = "Throwaway test values, written by write_store_0_4_1.py; used by no service."
SECRET_KEY = "a throwaway key of the upgrade test"
PASSWORD = "correct horse battery staple"
CENTURY = timedelta(days=36_500)
CLIENT = Client("192.0.2.1", "a browser")


@dataclass
class Writer:
    """Writes rows through the services of 0.4.1 and records the secrets that tests need."""

    app: Flask
    issued: list[str]
    secrets: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.services = self.app.extensions["roster"]

    def register(self, username: str, **details: Any) -> User:
        email = f"{username}@example.com"
        return self.services.accounts.register(
            username=username, email=email, password=PASSWORD, **details
        )

    def sign_in(self, username: str, otp: str | None = None) -> tuple[Any, User]:
        session, issued, user = self.services.sign_in.open(username, PASSWORD, CLIENT, otp)
        self.secrets.setdefault("sessions", {})[username] = issued
        return session, user

    def fail(self, login: str) -> None:
        try:
            self.services.sign_in.open(login, "not the password at all", CLIENT)
        except InvalidCredentials:
            return
        raise AssertionError(login)

    def create_key(self, user: User, roles: list[str]) -> None:
        actor = Actor(user.id, CLIENT.ip)
        _, key = self.services.api_keys.create(user, "nightly report", roles, CENTURY, actor)
        self.secrets.setdefault("api_keys", {})[user.username] = key

    def mailed_token(self, name: str, request: Callable[[], object]) -> None:
        request()
        self.secrets.setdefault("one_time_tokens", {})[name] = self.issued[-1]


def write(writer: Writer) -> None:
    """Write rows of every kind."""
    services, client = writer.services, writer.app.test_client()
    john = writer.register("john", full_name="John Doe", roles=["admin", "user"])
    by_john = Actor(john.id, CLIENT.ip)
    confirm = services.confirmations
    writer.mailed_token("john", lambda: confirm.start(john.email, by=Actor(ip=CLIENT.ip)))
    confirm.finish(writer.secrets["one_time_tokens"].pop("john"), by=by_john)
    _, john = writer.sign_in("john")
    writer.create_key(john, ["admin"])

    jane = writer.register("jane", full_name="Jane Doe", metadata={"team": "research", "floor": 3})
    writer.sign_in("jane")
    jane = services.accounts.update(jane, {"full_name": "Jane Q. Doe"}, by=by_john)
    change = {"email": "jane.doe@example.org"}
    own = Actor(jane.id, CLIENT.ip)
    writer.mailed_token(
        "email-change",
        lambda: services.accounts.update(jane, change, confirms_email=True, by=own),
    )
    writer.mailed_token(
        "password-reset", lambda: services.credentials.start_reset(jane.email, by=own)
    )

    enroll(writer, "ada")
    pending = writer.register("joan")
    made = services.second_factors.enrol(pending, Actor(pending.id, CLIENT.ip))
    writer.secrets["pending_totp"] = made.secret

    imported = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10, b"2b")).decode()
    Imports(services.accounts).add(
        username="katherine", email="katherine@example.com", password_hash=imported
    )
    Imports(services.accounts).add(username="mary", email="mary@example.com")

    writer.register("margaret")
    for _ in range(3):
        writer.fail("margaret")
        writer.fail("unknown")
    locked = writer.register("radia")
    locked.update([User.tries.set(MOST), User.tried_at.set(now() + CENTURY)])

    renamed = writer.register("betty")
    services.accounts.update(renamed, {"username": "elizabeth"}, by=by_john)
    session, changed = writer.sign_in("elizabeth")
    services.credentials.change_password(
        changed,
        current_password=PASSWORD,
        new_password="a stone bridge over the river",
        session=session,
        by=Actor(changed.id, CLIENT.ip),
    )

    suspended = writer.register("grace")
    writer.sign_in("grace")
    services.accounts.update(suspended, {"status": "suspended"}, by=by_john)
    deleted = writer.register("linus")
    services.accounts.delete(deleted, by=by_john)
    with stopped_before_cleanup():
        dorothy = writer.register("dorothy")
        _, dorothy = writer.sign_in("dorothy")
        services.accounts.update(dorothy, {"status": "suspended"}, by=by_john)
        hedy = writer.register("hedy")
        _, hedy = writer.sign_in("hedy")
        writer.create_key(hedy, ["user"])
        services.credentials.start_reset(hedy.email, by=Actor(hedy.id, CLIENT.ip))
        services.accounts.delete(User.get(hedy.id), by=by_john)
    # Counted by route and client, whatever the response is.
    assert client.get("/v1/users", headers={"Authorization": "Bearer none"}).status_code == 401
    assert client.post("/v1/sessions", json={"login": "x", "password": "y"}).status_code == 401


def enroll(writer: Writer, username: str) -> None:
    """Turn on a second factor, sign in with it, and use a recovery code."""
    second_factors = writer.services.second_factors
    user = writer.register(username)
    by = Actor(user.id, CLIENT.ip)
    secret = second_factors.enrol(user, by).secret
    codes = second_factors.confirm(user, totp(secret, -1), by)
    writer.sign_in(username, totp(secret, 0))
    writer.sign_in(username, codes.pop())
    writer.secrets |= {"totp": secret, "recovery_codes": codes}


@contextmanager
def stopped_before_cleanup() -> Iterator[None]:
    """Leave the rows of ended sessions behind, as a process that ends too early does."""
    with (
        mock.patch.object(accounts, "sweep", lambda *_, **__: None),
        mock.patch.object(updates, "sweep", lambda *_, **__: None),
    ):
        yield


def totp(secret: str, steps: int) -> str:
    """Return the code of RFC 6238 for a number of time steps from now."""
    counter = int(time.time() // 30) + steps
    digest = hmac.digest(base64.b32decode(secret), counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06}"


def tables(host: str) -> Iterator[dict[str, Any]]:
    """Yield each table: its responses of DescribeTable and DescribeTimeToLive, and its items."""
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    client = session.create_client("dynamodb", "us-east-1", endpoint_url=host)
    for model in sorted(db.models, key=lambda model: model.Meta.base_table_name):
        name = model.Meta.table_name
        time_to_live = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        yield {
            "Table": client.describe_table(TableName=name)["Table"],
            "TimeToLiveDescription": time_to_live,
            "Items": client.scan(TableName=name, ConsistentRead=True)["Items"],
        }


def record_tokens(issued: list[str]) -> Any:
    """Record each token that is created."""
    make = token.make

    def make_and_record(prefix: str, user_id: str) -> str:
        issued.append(make(prefix, user_id))
        return issued[-1]

    return mock.patch.object(token, "make", make_and_record)


def main(path: Path) -> None:
    issued: list[str] = []
    with Engine() as engine, tempfile.TemporaryDirectory() as mails, record_tokens(issued):
        app = create_app(
            Config(
                secret_key=SECRET_KEY,
                workers=1,
                session_idle=CENTURY,
                session_max=CENTURY,
                reset_lifetime=CENTURY,
                verification_lifetime=CENTURY,
                mail=MailSettings(folder=Path(mails)),
                dynamodb={
                    "DYNAMODB_HOST": engine.host,
                    "DYNAMODB_REGION": "us-east-1",
                    "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
                    "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
                    "DYNAMODB_TABLE_PREFIX": "roster-",
                },
            )
        )
        with app.app_context():
            db.create_all()
            writer = Writer(app, issued)
            write(writer)
            found = list(tables(engine.host))
    head = {"secret_key": SECRET_KEY, "password": PASSWORD, **writer.secrets}
    path.write_text(render(head, found))


def render(head: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """Render the file with one item per line."""
    lines = []
    for table in found:
        items = ",\n".join(json.dumps(item, sort_keys=True) for item in table["Items"])
        parts = {
            name: json.dumps(table[name], default=str)
            for name in ("Table", "TimeToLiveDescription")
        }
        members = [f'"{name}": {text}' for name, text in parts.items()]
        lines.append("{" + ",\n".join([*members, f'"Items": [\n{items}\n]']) + "}")
    tables = ",\n".join(lines)
    return (
        f'{{"release": "0.4.1",\n"note": "{NOTE}",\n"secrets": {json.dumps(head, indent=1)},\n'
        f'"tables": [\n{tables}\n]}}\n'
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
