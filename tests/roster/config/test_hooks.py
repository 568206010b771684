"""The module of hooks: where it is found, and what is wrong with it in one line."""

import itertools
import sys

import pytest

from roster.config import Config, SettingError, read_hooks

numbers = itertools.count()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder of the search path."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def read(folder):
    """Return a function that reads the functions of a module with some text."""

    def read_text(text):
        name = f"hooks_{next(numbers)}"
        (folder / f"{name}.py").write_text(text)
        return read_hooks(name)

    return read_text


class TestModule:
    def test_none(self):
        """Without the setting there is no function."""
        assert read_hooks(None) == {}

    def test_functions(self, read):
        """Functions are found by their names; others of the module are left alone."""
        functions = read(
            "import os\nfrom dataclasses import dataclass\nCRM = 'https://crm.example.com'\n"
            "class Crm: ...\n"
            "def before_registration(registration): ...\n"
            "def after_update(update, retries=3): ...\n"
            "def find_plan(email): ...\n"
            "def _before_request(): ...\n"
        )

        assert set(functions) == {"before_registration", "after_update"}

    def test_imported_function(self, read):
        """A function may come from another module."""
        functions = read("from functools import partial\nbefore_update = partial(print, end='')\n")

        assert set(functions) == {"before_update"}

    def test_package(self, folder):
        """A module in a package is found."""
        (folder / "acme").mkdir()
        (folder / "acme" / "__init__.py").touch()
        (folder / "acme" / "hooks.py").write_text("def after_sign_in(sign_in): ...")

        assert set(read_hooks("acme.hooks")) == {"after_sign_in"}


class TestSearchPath:
    def test_working_directory(self, tmp_path, monkeypatch):
        """A module in the working directory is not found, also where Python would search there."""
        (tmp_path / "lurking.py").write_text("raise AssertionError")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
        before = list(sys.path)
        with pytest.raises(SettingError, match="there is no module lurking"):
            read_hooks("lurking")

        assert sys.path == before

    @pytest.mark.parametrize("entry", [".", "{here}", "/nowhere:{here}"])
    def test_python_path(self, tmp_path, monkeypatch, entry):
        """PYTHONPATH can name the working directory."""
        name = f"named_{next(numbers)}"
        (tmp_path / f"{name}.py").write_text("def after_sign_in(sign_in): ...")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        monkeypatch.setenv("PYTHONPATH", entry.format(here=tmp_path))

        assert read_hooks(name)

    @pytest.mark.parametrize("name", ["../hooks", "hooks.py/x", ".hooks", "a..b", "a b", "", "ä"])
    def test_no_name(self, monkeypatch, name):
        """A path, or what is no name of a module, is rejected before anything is imported."""
        monkeypatch.setenv("ROSTER_SECRET_KEY", "k3y" * 20)
        monkeypatch.setenv("ROSTER_HOOKS", name)
        with pytest.raises(SettingError, match="ROSTER_HOOKS"):
            Config.from_env()


class TestFaults:
    @pytest.mark.parametrize(
        "text, said",
        [
            (
                "def before_registraton(registration): ...",
                "before_registraton is never called: did you mean before_registration?",
            ),
            (
                "def befor_update(update): ...",
                "befor_update is never called: did you mean before_update?",
            ),
            ("def beforeSignIn(sign_in): ...", "did you mean before_sign_in?"),
            (
                "def after_deletion(deletion): ...",
                "after_deletion is never called: ",
            ),
            ("before_update = 5", "before_update is no function"),
            ("class before_update: ...", "before_update is no function"),
            (
                "def before_sign_in(): ...",
                "before_sign_in must take one argument, the SignIn",
            ),
            ("def before_sign_in(user, password): ...", "must take one argument, the SignIn"),
            ("def before_sign_in(*, sign_in): ...", "must take one argument, the SignIn"),
            ("async def before_sign_in(sign_in): ...", "before_sign_in is asynchronous"),
            ("def before_sign_in(sign_in):\n  yield", "is asynchronous or a generator"),
            (
                "class Hook:\n  async def __call__(self, sign_in): ...\nbefore_sign_in = Hook()",
                "before_sign_in is asynchronous",
            ),
            (
                "from roster.hooks import Update\ndef after_sign_in(sign_in: Update): ...",
                "after_sign_in gets a SignIn, and expects a Update",
            ),
            ("x = 1", "it has none of the functions before_registration, after_registration,"),
            ("import crm_client", "failed: ModuleNotFoundError: No module named 'crm_client' ("),
            ("1 / 0", "failed: ZeroDivisionError: division by zero ("),
            ("import os\nos.environ['ACME_URL']", "failed: KeyError: 'ACME_URL' (/"),
            ("raise SystemExit(0)", "failed: SystemExit: 0 ("),
            ("raise ValueError('a\\nb' + 'c' * 1000)", "failed: ValueError: a bccc"),
            ("def before_sign_in(sign_in:", "failed: SyntaxError: "),
        ],
    )
    def test_one_line(self, read, text, said):
        """What is wrong is one line, which names the setting and the place."""
        with pytest.raises(SettingError) as raised:
            read(text)

        assert said in str(raised.value)
        assert str(raised.value).startswith("ROSTER_HOOKS: ")
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 600

    def test_place(self, read):
        """The line of an error is named."""
        with pytest.raises(SettingError, match=r"hooks_\d+\.py:3\)"):
            read("\n\n1 / 0")

    def test_all_faults(self, read):
        """All faults are named together."""
        with pytest.raises(SettingError) as raised:
            read("def before_updat(u): ...\nasync def after_update(u): ...")

        assert "before_updat is never called" in str(raised.value)
        assert "after_update is asynchronous" in str(raised.value)

    def test_unknown_annotation(self, read):
        """An annotation that only type checkers know is not evaluated."""
        functions = read("def after_update(update: 'Unknown') -> 'None': ...")

        assert set(functions) == {"after_update"}

    def test_other_module(self):
        """A module of the standard library is not one of hooks."""
        with pytest.raises(SettingError, match="json is not accepted"):
            read_hooks("json")
