"""`roster keys` on the tables of the test."""

import json

import pytest
from click.testing import CliRunner

from models import KeyRotation, SecretKeys, Totp, db
from models.clock import now
from models.tables.second_factor import SecondFactor
from roster.cli import cli

NEW, OLD, GONE = "the key of today", "the key of yesterday", "the key of last year"
NEW_ID, OLD_ID, GONE_ID = SecretKeys([NEW, OLD, GONE]).ids


@pytest.fixture
def run(app, make_app):
    """Run a command of `roster keys` with the new and the old key."""
    started = make_app(secret_keys=(NEW, OLD))

    def invoke(*arguments, services=started.extensions["roster"], app=started):
        with app.app_context():
            return CliRunner().invoke(cli, ["keys", *arguments], obj=services)

    return invoke


@pytest.fixture
def enroll(app):
    """Return a function that stores a second factor under a key."""

    def store(user_id, key):
        with app.app_context():
            secret = Totp([key]).new("ada", user_id).stored
            SecondFactor(user_id, secret=secret, created_at=now()).save()

    return store


class TestStatus:
    def test_table(self, run, enroll):
        """ASVS 11.1.2: each key has a line with its use and its number of second factors."""
        enroll("ada", NEW)
        enroll("eve", OLD)
        result = run("status")

        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            "key\tstate\tsecond factors\tsigning keys",
            f"{NEW_ID}\tcurrent\t1\t0",
            f"{OLD_ID}\tolder\t1\t0",
        ]
        assert NEW not in result.output and OLD not in result.output

    def test_missing_key(self, run, enroll):
        """A key that is needed and not configured is shown, and the exit status says so."""
        enroll("ada", GONE)
        result = run("status", "--json")

        assert result.exit_code == 1
        assert json.loads(result.stdout)[-1] == {
            "key": GONE_ID,
            "state": "unknown",
            "second_factors": 1,
            "signing_keys": 0,
        }


class TestRekey:
    def test_all(self, run, enroll):
        """M3: afterwards nothing needs the older key, and a second run changes nothing."""
        for user, key in (("ada", NEW), ("eve", OLD), ("joan", OLD)):
            enroll(user, key)
        first, again, status = run("rekey"), run("rekey", "--json"), run("status")

        assert first.exit_code == again.exit_code == 0
        assert first.stdout == (
            "2 sealed again, 1 already current, 0 changed meanwhile, 0 unreadable\n"
        )
        assert json.loads(again.stdout) == {
            "resealed": 0,
            "current": 3,
            "changed": 0,
            "unreadable": 0,
            "after": None,
        }
        assert f"{OLD_ID}\tolder\t0\t0" in status.stdout

    def test_unreadable(self, run, enroll):
        """A missing key is named with the user, and the rest is sealed again."""
        enroll("ada", GONE)
        enroll("eve", OLD)
        result = run("rekey")

        assert result.exit_code == 1
        assert "1 sealed again" in result.stdout
        assert "The second factor of ada is unreadable" in result.stderr
        assert GONE_ID in result.stderr

    def test_pages(self, run, enroll, monkeypatch):
        """M3: each page tells where an interrupted run continues."""
        monkeypatch.setitem(KeyRotation.rekey.__kwdefaults__, "limit", 2)
        for number in range(5):
            enroll(f"0197a000-0000-7000-8000-{number:012}", OLD)
        whole = run("rekey")
        after = whole.stderr.splitlines()[0].rpartition(" ")[2]
        rest = run("rekey", "--after", after)

        assert whole.stdout.startswith("5 sealed again")
        assert len(whole.stderr.splitlines()) == 2
        assert rest.stdout.startswith("0 sealed again, 3 already current")

    @pytest.mark.parametrize("after", ["", "x", "x" * 3000, "0197a000"])
    def test_invalid_position(self, run, after):
        """A position that is no user ID is a usage error."""
        result = run("rekey", "--after", after)

        assert result.exit_code == 2
        assert "must be a user ID" in result.stderr

    def test_no_table(self, run, make_app, config):
        """A missing table is one line."""
        app = make_app(dynamodb={**config.dynamodb, "DYNAMODB_TABLE_PREFIX": "none-"})
        with app.app_context():
            db.drop_all()
        result = run("rekey", services=app.extensions["roster"], app=app)

        assert result.exit_code == 1
        assert result.stdout == ""
        assert "is missing" in result.stderr or "does not exist" in result.stderr


class TestSigningKeys:
    def test_rotate(self, run):
        """The next key waits, and the list shows the use of each; a repetition creates none."""
        created = json.loads(run("rotate", "--json").stdout)
        again = run("rotate")
        listed = json.loads(run("list", "--json").stdout)

        assert again.stdout == f"{created['kid']} signs from {created['signs_from']}\n"
        assert [each["state"] for each in listed] == ["signing", "waiting"]
        assert listed[1] == created

    def test_revoke(self, run):
        """A revoked key is replaced at once."""
        run("rotate")
        [first, _] = json.loads(run("list", "--json").stdout)
        result = run("revoke", first["kid"])
        lines = run("list").stdout.splitlines()

        assert (result.exit_code, result.stdout) == (0, f"revoked {first['kid']}\n")
        assert lines[0] == "kid\talg\tstate\tcreated_at\tsigns_from"
        assert [line.split("\t")[2] for line in lines[1:]] == ["revoked", "verifying", "signing"]

    def test_unknown(self, run):
        """An unknown key is an error in one line that says what to do."""
        result = run("revoke", "none")

        assert result.exit_code != 0
        assert "roster keys list" in result.output


class TestFile:
    """The commands where the keys are those of ROSTER_TOKEN_KEYS_FILE."""

    @pytest.fixture
    def run_with_file(self, run, make_app, tmp_path):
        """Return a function that runs a command, with a file of two generated keys."""
        keys = [
            json.loads(run("generate", "--alg", algorithm).stdout)["keys"][0]
            for algorithm in ("ES256", "RS256")
        ]
        path = tmp_path / "token-keys.json"
        path.write_text(json.dumps({"keys": keys}))
        path.chmod(0o600)
        app = make_app(secret_keys=(NEW,), token_keys_file=path)
        return lambda *arguments: run(*arguments, services=app.extensions["roster"], app=app)

    def test_list(self, run_with_file):
        """The keys are listed in their order, and the first one signs."""
        listed = json.loads(run_with_file("list", "--json").stdout)

        assert [(each["alg"], each["state"]) for each in listed] == [
            ("ES256", "signing"),
            ("RS256", "published"),
        ]

    @pytest.mark.parametrize(
        "arguments, advice",
        [(["rotate"], "put a new key at the end of the file"), (["revoke", "x"], "remove the key")],
    )
    def test_change(self, run_with_file, arguments, advice):
        """A command that would change a key says what to do with the file, in one line."""
        result = run_with_file(*arguments)

        assert result.exit_code == 1
        assert result.stdout == ""
        assert advice in result.stderr
        assert result.stderr.count("\n") == 1

    def test_sealed_values(self, run_with_file):
        """The commands for the secret key find no signing key, and leave the table alone."""
        status = run_with_file("status")
        rekey = run_with_file("rekey")

        assert status.stdout.splitlines()[1:] == [f"{NEW_ID}\tcurrent\t0\t0"]
        assert rekey.stdout.startswith("0 sealed again")
