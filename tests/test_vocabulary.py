"""The check of the language: `tools/vocabulary.py`."""

import runpy
from pathlib import Path

import pytest

TOOL = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "vocabulary.py"))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package").mkdir()


def write(name: str, text: str) -> list[Path]:
    """Write one file, and return its relative path in a list."""
    Path(name).write_text(text)
    return [Path(name)]


@pytest.mark.parametrize(
    "source",
    [
        '"""Tell whoever asks."""',
        "# Nobody reads\n# this.\nvalue = 1",
        "def f():\n    '''Return what is left.'''",
        "class C:\n    # in vain\n    pass",
    ],
)
def test_idiom_in_code(source, capsys):
    """Idioms in comments and docstrings are found, with file and line."""
    [error] = TOOL["check_code"](write("package/module.py", source))

    assert error == "package: 1 of 1 comments and docstrings have idioms"
    assert capsys.readouterr().out.startswith("package/module.py:")


def test_share(capsys):
    """A share of 2 % is accepted."""
    comments = "\n".join(f"value_{number} = {number}  # plain" for number in range(99))

    assert TOOL["check_code"](write("package/module.py", f"{comments}\nx = 1  # anew\n")) == []


def test_strings_and_names_do_not_count():
    """Strings and identifiers are no comments."""
    assert TOOL["check_code"](write("package/module.py", 'nobody = "nobody is told"\n')) == []


def test_idiom_in_documentation(capsys):
    """Idioms on a page are found with their line; code blocks are left out."""
    page = write("page.md", "# Title\n\n```text\nnobody\n```\n\nA user whom nobody knows.\n")
    [error] = TOOL["check_pages"](page)

    assert "idioms per thousand words" in error
    assert capsys.readouterr().out == "page.md:7: 'whom'\npage.md:7: 'nobody'\n"


def test_plain_documentation():
    """A page without idioms is accepted."""
    assert TOOL["check_pages"](write("page.md", "# Title\n\nA user signs in.\n")) == []
