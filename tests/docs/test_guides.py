"""The programs on the guides of the documentation, run as they are printed."""

import contextlib
import json
import re
import sqlite3

import pytest
from passlib.hash import argon2, bcrypt

from models import compile_schema
from roster.config import DYNAMODB_SETTINGS, Config, EmailSettings, LimitSettings, declared_in
from tests.docs.conftest import ORIGIN
from tests.support.documents import DOCS, blocks
from tests.support.engine import local_engine
from tests.support.person import PASSWORD
from tests.support.process_harness import DEMO_PASSWORD

BROWSER = DOCS / "browsers.md"
FIELDS = DOCS / "custom-fields.md"
DEPLOYMENT = DOCS / "deployment.md"
SCOPE = DOCS / "scope.md"
GUIDES = [
    page
    for page in [*DOCS.glob("*.md"), *DOCS.glob("how-to/*.md")]
    if page.stem not in {"changelog", "configuration"}
]
# ROSTER_IMAGE is of compose.yaml.
SETTINGS = {
    "ROSTER_IMAGE",
    *(one.variable for one in DYNAMODB_SETTINGS.values()),
    *(one.variable for one in declared_in(Config).values()),
    *(one.variable for one in declared_in(LimitSettings).values()),
    *(one.variable for one in declared_in(EmailSettings).values()),
}
# id, address, hash, active, superuser, verified: as FastAPI-Users stores them.
FORMER_USERS = [
    ("1", "Grace@example.com", argon2.hash(PASSWORD), 1, 0, 1),
    ("2", "grace@example.org", bcrypt.using(rounds=4).hash(PASSWORD), 1, 1, 1),
    ("3", "h@example.com", argon2.hash(PASSWORD), 1, 0, 0),
    ("4", "suspended@example.com", argon2.hash(PASSWORD), 0, 0, 1),
]


class TestSettings:
    @pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
    def test_named_settings_exist(self, page):
        """A guide names no setting that the service does not have."""
        named = set(re.findall(r"`((?:ROSTER|DYNAMODB)_[A-Z_]+)[`=]", page.read_text()))

        assert {name.removesuffix("_FILE") for name in named - SETTINGS} <= SETTINGS


class TestCors:
    def test_preflight(self, run):
        """The preflight of the page is answered with the origin."""
        [script] = blocks(BROWSER, "bash")
        answer = run("bash", "-euo", "pipefail", "-c", script)

        assert answer.returncode == 0, answer
        assert answer.stdout.strip().lower() == f"access-control-allow-origin: {ORIGIN}"

    def test_other_origins(self, run):
        """An origin that is not in the setting is not allowed."""
        [script] = blocks(BROWSER, "bash")
        answer = run("bash", "-c", script.replace(ORIGIN, "http://localhost:3001"))

        assert answer.stdout == ""

    def test_proxy_of_vite(self, run, tmp_path):
        """The configuration of Vite is a module that proxies the API."""
        (tmp_path / "vite.config.mjs").write_text(blocks(BROWSER, "javascript")[0])
        program = (
            "import('./vite.config.mjs').then(({default: it}) => console.log(JSON.stringify(it)))"
        )
        answer = run("node", "-e", program)

        assert json.loads(answer.stdout)["server"]["proxy"].keys() == {"/v1"}


DRIVER = """
import { call, signIn, signOut } from "./roster.mjs";
const outcome = (promise) => promise.then(
  (value) => value?.username ?? value,
  (error) => [error.status, error.type, error.problem.errors?.map((one) => one.pointer)],
);
console.log(JSON.stringify([
  await outcome(signIn("jane", "a wrong password")),
  await outcome(signIn("jane", process.env.PASSWORD)),
  await outcome(call("GET", "/v1/users/me")),
  await outcome(call("PATCH", "/v1/users/me", { full_name: 5 })),
  await outcome(call("GET", "/v1/events")),
  await outcome(signOut()),
  await outcome(call("GET", "/v1/users/me")),
]));
"""
BUSY_DRIVER = """
import { createServer } from "node:http";
let calls = 0;
const problem = { type: "/problems/" + process.argv[2], title: "Unavailable", status: 503 };
const server = createServer((request, response) => {
  calls += 1;
  response.writeHead(503, { "Retry-After": "0", "Content-Type": "application/problem+json" });
  response.end(JSON.stringify(problem));
}).listen(0, "127.0.0.1", async () => {
  globalThis.ROSTER = `http://127.0.0.1:${server.address().port}`;
  const { call } = await import("./roster.mjs");
  await call(process.argv[3], "/v1/users").catch((error) => console.log(calls, error.status));
  server.close();
});
"""


class TestClient:
    @pytest.fixture
    def client(self, tmp_path):
        """The function of the page as a module."""
        (tmp_path / "roster.mjs").write_text(blocks(BROWSER, "javascript")[1])

    def test_outcomes(self, run, client, tmp_path):
        """It signs in, calls, reports errors by type and field, and signs out."""
        (tmp_path / "driver.mjs").write_text(DRIVER)
        preload = "--import=data:text/javascript,globalThis.ROSTER=process.env.BASE"
        answer = run("node", preload, "driver.mjs", PASSWORD=DEMO_PASSWORD)

        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout) == [
            [401, "invalid-credentials", None],
            "jane",
            "jane",
            [422, "invalid-request", ["/full_name"]],
            [403, "forbidden", None],
            None,
            [401, "unauthenticated", None],
        ]

    @pytest.mark.parametrize(
        ("problem", "method", "calls"),
        [
            ("busy", "POST", 4),
            ("busy", "GET", 4),
            ("store-unavailable", "GET", 4),
            ("store-unavailable", "POST", 1),
        ],
    )
    def test_repeats_what_changed_nothing(self, run, client, tmp_path, problem, method, calls):
        """Only requests that have certainly changed nothing are repeated, three times."""
        (tmp_path / "busy.mjs").write_text(BUSY_DRIVER)

        assert run("node", "busy.mjs", problem, method).stdout.split() == [str(calls), "503"]


class TestCustomFields:
    def test_session(self, run):
        """The requests of the page run to their end, twice."""
        script = "".join(blocks(FIELDS, "bash"))
        answers = [run("bash", "-euo", "pipefail", "-c", script) for _ in range(2)]

        assert [answer.returncode for answer in answers] == [0, 0], answers
        assert '{"is_staff": true, "plan": "enterprise"}' in answers[0].stdout

    def test_schema(self):
        """The schema of the page is accepted, and rejects what it says it does."""
        schema = compile_schema(blocks(FIELDS, "json")[0].encode())

        assert schema.is_valid({"metadata": {"theme": "dark"}, "app_metadata": {"plan": "pro"}})
        assert not schema.is_valid({"metadata": {"theme": "blue"}})

    def test_table_of_ones_own(self, run):
        """The program with a table under the ID of the user runs."""
        keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        with local_engine() as engine:
            answer = run(
                "python", "-c", blocks(FIELDS, "python")[0], DYNAMODB_HOST=engine.host, **keys
            )

        assert answer.returncode == 0, answer.stderr

    def test_report(self, run):
        """The commands find users by a field of their metadata."""
        [session, report] = [*blocks(FIELDS, "bash")[:1], blocks(FIELDS, "console")[-1]]
        commands = report.replace("$ roster users", "roster users --local --data $DATA")
        french = 'me -X PATCH -d \'{"metadata": {"language": "fr"}}\' | field id\n'
        answer = run(
            "bash",
            "-euo",
            "pipefail",
            "-c",
            session + french + commands.replace("$ python3", "python3"),
        )

        assert answer.returncode == 0, answer.stderr
        [*_, user_id, found] = [line.strip('"') for line in answer.stdout.splitlines()]
        assert found == user_id


class TestDeployment:
    def test_first_requests(self, run):
        """A service is ready, and rejects a request without a token."""
        [script] = blocks(DEPLOYMENT, "bash")
        answer = run("bash", "-euo", "pipefail", "-c", script)

        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.endswith("401\n")


class TestComingFromFastApiUsers:
    @pytest.fixture
    def imported(self, run, tmp_path):
        """Import the users of an SQLite database with the program of the page."""
        with contextlib.closing(sqlite3.connect(tmp_path / "app.db")) as database, database:
            database.execute(
                "CREATE TABLE user (id TEXT, email TEXT, hashed_password TEXT,"
                " is_active INT, is_superuser INT, is_verified INT)"
            )
            database.executemany("INSERT INTO user VALUES (?, ?, ?, ?, ?, ?)", FORMER_USERS)
        (tmp_path / "export_users.py").write_text(blocks(SCOPE, "python")[0])
        commands = "".join(
            line.removeprefix("$ ").replace("roster users", "roster users --local --data $DATA")
            for line in blocks(SCOPE, "console")[0].splitlines(keepends=True)
        )
        return run("bash", "-euo", "pipefail", "-c", commands)

    def test_users_keep_their_passwords(self, imported, roster):
        """Users sign in with their address and password; suspended ones do not."""
        opened = [
            roster.call("POST", "/v1/sessions", {"login": email, "password": PASSWORD})
            for _, email, *_ in FORMER_USERS
        ]

        assert imported.returncode == 0, imported.stderr
        assert [answer.status for answer in opened] == [201, 201, 201, 401]
        users = [answer.body["user"] for answer in opened[:3]]
        assert [user["username"] for user in users] == ["grace", "grace-2", "user-h"]
        assert [sorted(user["roles"]) for user in users] == [["user"], ["admin", "user"], ["user"]]
        assert [user["email_verified"] for user in users] == [True, True, False]
