"""`roster users export`."""

import json
import stat

import pytest

NAMES = {"full_name": "Jane Doe", "locale": "pt-BR"}


@pytest.fixture
def run(run_users):
    """Run a command of `roster users`."""
    return run_users


def rows_of(text):
    """Return the objects of the lines of an export."""
    return [json.loads(line) for line in text.splitlines()]


class TestExport:
    def test_lines(self, run, john, jane):
        """There is a line for each user as the API returns it, newest first, without hashes."""
        result = run("export")

        assert rows_of(result.stdout) == john.get("/v1/users").json["items"]
        assert "argon2" not in result.stdout
        assert result.stderr == "exported 2 users\n"

    def test_pages(self, run, register, monkeypatch):
        """All pages are exported."""
        monkeypatch.setattr("roster.commands.users.accounts._PAGE", 2)
        created = [register(f"user-{number}") for number in range(5)]

        assert [row["id"] for row in rows_of(run("export").stdout)] == created[::-1]

    def test_progress(self, run, john, monkeypatch):
        """On a terminal the progress is shown, on stderr."""
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
        result = run("export")

        assert "Exporting users" in result.stderr
        assert "Exporting users" not in result.stdout

    def test_no_users(self, run):
        """Without users nothing is written."""
        assert run("export").stdout == ""

    def test_file(self, run, john, tmp_path):
        """The file is readable by its owner alone, and no other file is left."""
        path = tmp_path / "users.ndjson"
        path.write_text("an older export")
        run("export", "--output", str(path))

        assert [row["username"] for row in rows_of(path.read_text())] == ["john"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [path]

    def test_interrupted(self, run, john, tmp_path, monkeypatch):
        """An export that fails leaves the older file, and no other."""
        path = tmp_path / "users.ndjson"
        path.write_text("an older export")

        def fail(user):
            raise ZeroDivisionError

        monkeypatch.setattr("roster.commands.users.export_users.as_user", fail)
        result = run("export", "-o", str(path))

        assert type(result.exception) is ZeroDivisionError
        assert path.read_text() == "an older export"
        assert list(tmp_path.iterdir()) == [path]

    def test_no_folder(self, run, tmp_path):
        """A path that cannot be written is one line and exit status 1."""
        result = run("export", "-o", str(tmp_path / "none" / "users.ndjson"))

        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "cannot be written" in result.output

    def test_for_import(self, run, john, jane, tmp_path):
        """With --for-import the lines are accepted by `users import`."""
        path = tmp_path / "users.ndjson"
        run("export", "--for-import", "-o", str(path))
        result = run("import", str(path))

        assert result.exit_code == 0
        assert result.stdout == "0 imported, 2 already there, 0 rejected\n"

    def test_round_trip(self, run, john, jane, tmp_path):
        """A deleted user comes back with roles, names and metadata, but without a password."""
        jane.patch("/v1/users/me", json={**NAMES, "metadata": {"plan": "free"}})
        before = jane.get("/v1/users/me").json
        path = tmp_path / "users.ndjson"
        run("export", "--for-import", "-o", str(path))
        run("delete", "jane", "--yes")
        run("import", str(path))
        shown = json.loads(run("show", "jane", "--json").stdout)

        same = ("username", "email", "full_name", "locale", "metadata", "roles", "status")
        assert {name: shown["user"][name] for name in same} == {name: before[name] for name in same}
        assert shown["password"] == "no password"
