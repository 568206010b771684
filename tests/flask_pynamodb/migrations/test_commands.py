"""`flask dynamodb migrate` and `migrations`."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb.local import Engine

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture
def run(app):
    return lambda *words: app.test_cli_runner().invoke(args=["dynamodb", *words])


class TestMigrate:
    def test_all(self, run, people, names, split):
        """It runs the migrations that are not done, and says how many items changed."""
        result = run("migrate", "--segments", "2", "--batch-size", "5", "--rate", "10000")

        assert (result.exit_code, result.output) == (
            0,
            "0001-split-names: done, 25 items read, 25 changed\n",
        )
        assert names() == split
        assert run("migrate").output == "All migrations are done.\n"

    def test_dry_run(self, run, people, names):
        """A dry run says how many items would change."""
        before = names()

        result = run("migrate", "--dry-run")

        assert result.output == "0001-split-names: dry run, 25 items read, 25 to change\n"
        assert names() == before

    def test_limit(self, run, people):
        """A run with a limit is no error; the next one continues."""
        first, second = run("migrate", "--limit", "10"), run("migrate")

        assert (first.exit_code, second.exit_code) == (0, 0)
        assert first.output == "0001-split-names: stopped, 10 items read, 10 changed\n"
        assert second.output == "0001-split-names: done, 25 items read, 25 changed\n"

    def test_repeat(self, run, people):
        """One migration is run again."""
        run("migrate")

        again = run("migrate", "0001-split-names", "--repeat")

        assert again.output == "0001-split-names: done, 25 items read, 0 changed\n"

    def test_bind(self, run, people):
        """A database that the app does not have is an error."""
        result = run("migrate", "--bind", "archive")

        assert result.exit_code == 1
        assert "'archive', which DYNAMODB_BINDS does not define" in result.output

    def test_failed_item(self, run, db, people):
        """An item that fails is one line with its key, and a non-zero exit."""
        db.migration("0002", people)(lambda item: [][0])

        result = run("migrate")

        assert result.exit_code == 1
        assert re.fullmatch(
            r"Error: 0002: the item id='\d\d' failed: IndexError: list index out of range\n",
            result.output,
        )

    def test_unknown(self, run, people):
        """An unknown ID is one line and a non-zero exit."""
        result = run("migrate", "0001")

        assert (result.exit_code, result.output) == (
            1,
            "Error: There is no migration '0001'. Declared are 0001-split-names.\n",
        )

    @pytest.mark.parametrize(
        "option", [("--limit", "0"), ("--rate", "0"), ("--segments", "33"), ("--batch-size", "0")]
    )
    def test_bounds(self, run, people, option):
        """A number out of its bounds is an error of usage."""
        result = run("migrate", *option)

        assert result.exit_code == 2
        assert f"Invalid value for '{option[0]}'" in result.output

    def test_progress(self, run, people, monkeypatch):
        """Long runs show their progress on stderr."""
        monkeypatch.setattr("flask_pynamodb.migrations.commands._PROGRESS_SECONDS", 0)

        result = run("migrate", "--batch-size", "20")

        assert "0001-split-names: 20 items read, 20 changed ...\n" in result.stderr
        assert result.stdout == "0001-split-names: done, 25 items read, 25 changed\n"


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_stop(self, run, db, people, number):
        """A signal ends the run after the current item, and the next run continues there."""
        seen = []

        @db.migration("0002", people)
        def look(item):
            seen.append(item.id)
            if len(seen) == 5:
                os.kill(os.getpid(), number)

        handler = signal.getsignal(number)
        stopped = run("migrate")
        done = run("migrate")

        assert stopped.exit_code == 1
        assert "0002: stopped, 5 items read, 0 changed\n" in stopped.output
        assert stopped.output.endswith("Error: Stopped. Run the command again to continue.\n")
        assert done.output == "0002: done, 25 items read, 0 changed\n"
        assert len(seen) == 25
        assert signal.getsignal(number) is handler

    @pytest.fixture
    def interruptible(self):
        """Interrupt on Ctrl-C, as in a terminal: background jobs are started to ignore it."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    @pytest.mark.usefixtures("interruptible")
    def test_twice(self, run, db, people):
        """A second Ctrl-C interrupts the item; the lease is released."""
        interrupted = []

        @db.migration("0002", people)
        def look(item):
            if not interrupted:
                interrupted.append(item.id)
                # To this thread: another one could receive both before the first is handled.
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

        stopped = run("migrate")
        done = run("migrate")

        assert stopped.exit_code == 1
        assert "Aborted!" in stopped.output
        assert done.output == "0002: done, 25 items read, 0 changed\n"


class TestKill:
    APP = """
import os, signal
from flask import Flask
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from flask_pynamodb import PynamoDB

app = Flask(__name__)
app.config.from_prefixed_env("APP")
db = PynamoDB(app)


class Person(db.Model):
    id = UnicodeAttribute(hash_key=True)
    greeting = UnicodeAttribute(null=True)


@db.migration("0001-greet", Person)
def greet(person):
    if person.greeting is None:
        person.greeting = "Hello"
    if person.id == os.environ.get("DIES_AT"):
        os.kill(os.getpid(), signal.SIGKILL)
"""

    @pytest.fixture
    def flask(self, tmp_path, dynamodb_engine: Engine, settings):
        """Runs a command of an app in a process of its own."""
        (tmp_path / "app.py").write_text(self.APP)
        named = {
            f"APP_{key}": json.dumps(value)
            for key, value in {**settings, "DYNAMODB_HOST": dynamodb_engine.host}.items()
        }

        def flask(*words, **environment):
            return subprocess.run(
                [sys.executable, "-m", "flask", "dynamodb", *words],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT), **named, **environment},
                capture_output=True,
                text=True,
                timeout=60,
            )

        return flask

    @pytest.fixture
    def host(self, dynamodb_engine):
        return dynamodb_engine.host

    def test_continues(self, flask, db, context):
        """After a kill the lease protects the position until it ends, then a run continues."""

        class Person(db.Model):
            id = UnicodeAttribute(hash_key=True)
            greeting = UnicodeAttribute(null=True)

        db.migration("0001-greet", Person)(lambda item: None)
        db.create_all()
        for n in range(6):
            Person(str(n)).save()

        killed = flask("migrate", "--batch-size", "1", DIES_AT="3")
        rejected = flask("migrate")
        history = db.models[-1]
        (row,) = history.query("migration")
        row.update([history.leased_until.set(0)])
        done = flask("migrate")

        assert killed.returncode == -signal.SIGKILL
        assert rejected.returncode == 1
        assert "If that process is dead, run again in" in rejected.stderr
        assert done.stdout == "0001-greet: done, 6 items read, 6 changed\n"
        assert {item.greeting for item in Person.scan()} == {"Hello"}


class TestMigrations:
    def test_states(self, run, db, people):
        """Each migration has a line with its state."""
        fails = [True]

        @db.migration("0002", people)
        def fail(item):
            if fails:
                raise LookupError

        table = people.Meta.table_name
        before = run("migrations").output
        run("migrate", "--limit", "10")
        stopped = run("migrations").output
        run("migrate")
        failed = run("migrations").output

        assert before == f"pending  0001-split-names  {table}\npending  0002  {table}\n"
        assert stopped.startswith(
            f"stopped  0001-split-names  {table}, 10 items read, 10 changed\npending"
        )
        done_line, failed_line = failed.splitlines()
        assert re.fullmatch(
            rf"done     0001-split-names  {table}, 25 items read, 25 changed,"
            r" finished \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
            done_line,
        )
        assert re.fullmatch(
            rf"failed   0002  {table}, 0 items read, 0 changed, LookupError at id='\d\d'",
            failed_line,
        )

    def test_running(self, run, db, people):
        """A migration that runs is shown with the host and the process that run it."""
        shown = []

        @db.migration("0002", people)
        def look(item):
            if not shown:
                shown.append(run("migrations").output)

        run("migrate")

        assert re.search(rf"^running  0002 .*, by \S+:{os.getpid()}:\w+$", shown[0], re.MULTILINE)

    def test_removed(self, run, db, people, app):
        """A migration without its code is marked."""
        run("migrate")
        db._migrations._declared.clear()

        assert run("migrations").output.endswith(" UTC, not declared any more\n")

    def test_check(self, run, people):
        """With `--check` the exit code says whether all are done."""
        before = run("migrations", "--check").exit_code
        run("migrate")

        assert (before, run("migrations", "--check").exit_code) == (1, 0)


class TestIamPolicy:
    def test_scan(self, db, make_app, split_names):
        """An app that may not scan has a statement for its migrations alone."""
        app = make_app(DYNAMODB_ALLOW_SCAN=False)
        db.init_app(app)

        policy = json.loads(app.test_cli_runner().invoke(args=["dynamodb", "iam-policy"]).output)

        run_time, _, migrations = policy["Statement"]
        assert "dynamodb:Scan" not in run_time["Action"]
        assert migrations["Action"] == ["dynamodb:Scan"]
        assert [name.rpartition("-")[2] for name in migrations["Resource"]] == ["person"]
        tables = [name.rpartition("-")[2] for name in run_time["Resource"]]
        assert tables == ["migrations", "person"]

    def test_scan_that_is_allowed(self, db, app, split_names):
        """An app that may scan needs no further statement."""
        policy = json.loads(app.test_cli_runner().invoke(args=["dynamodb", "iam-policy"]).output)

        assert len(policy["Statement"]) == 2
