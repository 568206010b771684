"""`roster templates`."""

import pytest
from click.testing import CliRunner

from roster.cli import cli
from roster.commands.templates.files import our_templates
from roster.commands.templates.samples import PAGE_SAMPLES

SIGN_IN = "pages/sign_in/sign_in.html"
EMAIL = "emails/verify-email.html"
WHOLE_EMAILS = [
    name
    for name in our_templates()
    if name.startswith("emails/") and not name.startswith(("emails/base.", "emails/token."))
]
PARTS = {"account/base", "admin/base", "base", "brand", "events", "forms", "notices"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder of ROSTER_TEMPLATES."""
    monkeypatch.setenv("ROSTER_TEMPLATES", str(tmp_path))
    return tmp_path


def run(*arguments):
    """Run `roster templates`."""
    return CliRunner().invoke(cli, ["templates", *arguments])


def states():
    """Return what `roster templates list` prints."""
    lines = run("list").output.splitlines()
    return dict(line.split("\t") for line in lines[1:])


class TestList:
    def test_ours(self):
        """Without a folder all templates are ours, subjects of emails included."""
        found = states()

        assert found[SIGN_IN] == found["emails/verify-email.subject.txt"] == "ours"
        assert set(found.values()) == {"ours"}

    def test_replaced(self, folder):
        """The list says what is replaced, what is broken, and what replaces nothing."""
        run("copy", SIGN_IN, EMAIL)
        (folder / EMAIL).write_text("{% if %}")
        (folder / "pages/sign_in/singin.html").write_text("")
        result = run("list")
        found = states()

        assert result.exit_code == 1
        assert found[SIGN_IN] == "replaced"
        assert found[EMAIL].startswith("broken: line 1: Expected an expression")
        assert found["pages/sign_in/singin.html"] == "replaces nothing"


class TestCopy:
    def test_copy(self, folder):
        """A copy is the same as ours, in the place where it is found."""
        result = run("copy", SIGN_IN)

        assert result.output == f"wrote {folder / SIGN_IN}\n"
        assert (folder / SIGN_IN).read_bytes() == our_templates()[SIGN_IN].read_bytes()

    def test_exists(self, folder):
        """A replacement that exists is not overwritten, and nothing else is copied."""
        run("copy", SIGN_IN)
        (folder / SIGN_IN).write_text("mine")
        result = run("copy", EMAIL, SIGN_IN)

        assert result.exit_code == 1
        assert result.output == f"Error: {folder / SIGN_IN} exists. Overwrite it with --force.\n"
        assert (folder / SIGN_IN).read_text() == "mine"
        assert not (folder / EMAIL).exists()

    def test_force(self, folder):
        """It is overwritten with --force."""
        run("copy", SIGN_IN)
        (folder / SIGN_IN).write_text("mine")
        run("copy", "--force", SIGN_IN)

        assert (folder / SIGN_IN).read_text() != "mine"

    def test_unknown(self, folder):
        """An unknown name is one line, with the nearest one."""
        result = run("copy", "pages/sign_in/signin.html")

        assert result.exit_code == 1
        assert result.output == (
            f"Error: There is no template pages/sign_in/signin.html. Did you mean {SIGN_IN}?\n"
        )

    def test_no_folder(self):
        """Without ROSTER_TEMPLATES there is nowhere to copy to."""
        result = run("copy", SIGN_IN)

        assert result.exit_code == 1
        assert result.output == "Error: Set ROSTER_TEMPLATES to the folder of your templates.\n"

    def test_not_writable(self, folder):
        """A file in the place of a folder is one line."""
        (folder / "pages").write_text("")
        result = run("copy", SIGN_IN)

        assert result.exit_code == 1
        assert "cannot be written" in result.output


class TestPreview:
    @pytest.mark.parametrize("name", PAGE_SAMPLES)
    def test_page(self, name):
        """Every page has a preview that looks the same when it is opened as a file."""
        result = run("preview", f"pages/{name}")

        assert result.exit_code == 0, result.output
        assert result.output.startswith("<!DOCTYPE html>")
        assert "<style>" in result.output
        assert 'rel="stylesheet"' not in result.output

    @pytest.mark.parametrize("name", WHOLE_EMAILS)
    def test_email(self, name):
        """Every part of every email has a preview."""
        result = run("preview", name)

        assert result.exit_code == 0, result.output
        assert result.output.strip()

    def test_every_page(self):
        """A new page needs a sample."""
        pages = {name.removeprefix("pages/") for name in our_templates() if "pages/" in name}

        assert pages - PAGE_SAMPLES.keys() == {f"{part}.html" for part in PARTS}

    def test_part(self):
        """A part of other templates has no preview of its own."""
        result = run("preview", "pages/base.html")

        assert result.exit_code == 1
        assert result.output == (
            "Error: pages/base.html is a part of other templates: preview one of those.\n"
        )

    def test_replaced(self, folder, monkeypatch):
        """The preview is that of the replacement, with the settings of the environment."""
        monkeypatch.setenv("ROSTER_NAME", "Acme")
        run("copy", SIGN_IN)
        (folder / SIGN_IN).write_text("Welcome to {{ name }}")

        assert run("preview", SIGN_IN).output == "Welcome to Acme\n"

    @pytest.mark.parametrize("name", [SIGN_IN, EMAIL])
    @pytest.mark.parametrize(
        "text, reason",
        [("{% if %}", "Expected an expression"), ("{{ 1 // 0 }}", "ZeroDivisionError")],
    )
    def test_broken(self, folder, name, text, reason):
        """A broken replacement is an error of one line, not ours."""
        run("copy", name)
        (folder / name).write_text(text)
        result = run("preview", name)

        assert result.exit_code == 1
        assert result.output.startswith(f"Error: {name}")
        assert reason in result.output
        assert len(result.output.splitlines()) == 1
