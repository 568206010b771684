"""`roster users import`."""

import json

import pytest
from passlib.registry import get_crypt_handler

from tests.support.person import PASSWORD

ADA = {"username": "ada", "email": "ada@example.com"}


@pytest.fixture
def bcrypt_hash():
    """A hash of the test password, as another system stores it."""
    return get_crypt_handler("bcrypt").using(rounds=4).hash(PASSWORD)


@pytest.fixture
def import_users(run_users):
    """Import lines, given as objects or as text."""

    def run(*lines, options=()):
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        return run_users("import", "-", *options, input=text)

    return run


class TestImport:
    def test_user_signs_in(self, import_users, client, bcrypt_hash):
        """A user of another system signs in with its password."""
        result = import_users({**ADA, "password_hash": bcrypt_hash, "email_verified": True})
        response = client.post("/v1/sessions", json={"login": "ada", "password": PASSWORD})

        assert result.exit_code == 0
        assert result.output == "1 imported, 0 already there, 0 rejected\n"
        assert response.json["user"]["email_verified"]

    def test_file(self, run_users, tmp_path):
        """A file is read line by line; empty lines and a byte order mark are ignored."""
        path = tmp_path / "users.jsonl"
        path.write_bytes(b"\xef\xbb\xbf" + json.dumps(ADA).encode() + b"\r\n\r\n")
        result = run_users("import", str(path))

        assert result.output == "1 imported, 0 already there, 0 rejected\n"

    def test_again(self, import_users):
        """An import can be repeated: existing users do not change."""
        import_users(ADA)
        result = import_users({**ADA, "full_name": "Ada King"}, {**ADA, "username": "ADA"})

        assert result.exit_code == 0
        assert result.output == "0 imported, 2 already there, 0 rejected\n"

    def test_json(self, import_users):
        """Scripts get one JSON document with the errors by line."""
        result = import_users(ADA, {"username": "bob"}, options=["--json"])

        assert result.exit_code == 1
        assert json.loads(result.stdout) == {
            "dry_run": False,
            "imported": 1,
            "already_there": 0,
            "refused": 1,
            "faults": [{"line": 2, "errors": [{"pointer": "/email", "detail": "It is missing."}]}],
        }


class TestErrors:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("nonsense", "The body is not JSON"),
            ("[]", "must be a JSON object"),
            ('{"username": "ada", "username": "eve"}', "/username: It occurs twice."),
            ({"username": "ada"}, "/email: It is missing."),
            ({**ADA, "username": "a"}, "/username: It must have at least 3 characters."),
            ({**ADA, "email": "nonsense"}, "/email: "),
            ({**ADA, "password": PASSWORD}, "/password: It is unknown"),
            ({**ADA, "id": "1"}, "/id: It is unknown"),
            ({**ADA, "roles": ["root"]}, "/roles/0: There is no such role. The roles are admin"),
            ({**ADA, "status": "deleted"}, "/status: It must be one of"),
            ({**ADA, "email_verified": 1}, "/email_verified: It must be of the type boolean."),
            ({**ADA, "password_hash": 1}, "/password_hash: It must be of the type"),
            ({**ADA, "password_hash": PASSWORD}, "/password_hash: This is not a hash"),
            ({**ADA, "locale": "de_DE"}, "/locale: It must be a language tag (BCP 47)"),
            ({**ADA, "full_name": "a\u0007b"}, "/full_name: It must not contain control"),
        ],
    )
    def test_line(self, import_users, line, said):
        """An invalid line is reported with its number; the others are imported."""
        result = import_users({"username": "bob", "email": "bob@example.com"}, line)

        assert result.exit_code == 1
        assert result.stderr.startswith("line 2: ")
        assert said in result.stderr
        assert result.stdout == "1 imported, 0 already there, 1 rejected\n"

    def test_taken(self, import_users):
        """A name that another user has is rejected with its field."""
        result = import_users(ADA, {**ADA, "email": "eve@example.com"}, {**ADA, "username": "eve"})

        assert "line 2: /username: The username is already in use." in result.stderr
        assert "line 3: /email: There is already an account with this" in result.stderr

    @pytest.mark.parametrize(
        "hash",
        [
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
            "$2b$04$nbyxoiasGHEUSRMxB8sX9eS",
        ],
        ids=["no salt", "too expensive", "truncated"],
    )
    @pytest.mark.parametrize("options", [[], ["--json"], ["--dry-run"]])
    def test_hash_is_never_shown(self, import_users, hash, options):
        """A rejected hash is not repeated (ASVS 16.2.5)."""
        result = import_users({**ADA, "password_hash": hash}, options=options)

        assert result.exit_code == 1
        assert hash not in result.output

    def test_broken_line_with_a_hash(self, import_users, bcrypt_hash):
        """No part of an invalid JSON line is repeated (ASVS 16.2.5)."""
        result = import_users(f'{{"username": "ada", "password_hash": "{bcrypt_hash}", }}')

        assert result.exit_code == 1
        assert bcrypt_hash not in result.output


class TestDryRun:
    def test_stores_nothing(self, import_users, snapshot):
        """A dry run reports the result of each line and changes nothing."""
        import_users(ADA)
        before = snapshot()
        result = import_users(
            ADA,
            {"username": "bob", "email": "bob@example.com"},
            {"username": "eve", "email": "ada@example.com"},
            options=["--dry-run"],
        )

        assert result.exit_code == 1
        assert "line 3: /email: There is already an account with this" in result.stderr
        assert result.stdout == (
            "dry run, nothing was stored: 1 would be imported, 1 already there, 1 rejected\n"
        )
        assert snapshot() == before
