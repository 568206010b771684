"""`roster` imports a command to run it, but not for its own help, the version and completion."""

import subprocess
import sys

import pytest

from roster.cli import cli

_PROGRAM = """
import sys
import roster.cli
sys.argv = ["roster", *sys.argv[1:]]
try:
    roster.cli.main()
except SystemExit as end:
    assert not end.code, end.code
print(*sorted(sys.modules))
"""
_SLOW = {"api", "botocore", "flask", "models", "pynamodb", "rich"}


def modules_after(*arguments, **environment):
    """Return the modules that a process has imported when the command has ended."""
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        env={"PYTHONPATH": ":".join(sys.path), **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(finished.stdout.splitlines()[-1].split())


class TestStart:
    @pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["completion", "bash"]])
    def test_imports(self, arguments):
        """What says how to use `roster` imports neither the service nor its libraries."""
        modules = modules_after(*arguments)

        assert "roster.commands.lazy_group" in modules
        assert modules & _SLOW == set()

    def test_completion_of_a_command(self):
        """The names of the commands are completed without importing one."""
        words = {"COMP_WORDS": "roster us", "COMP_CWORD": "1", "_ROSTER_COMPLETE": "bash_complete"}

        assert modules_after(**words) & _SLOW == set()

    def test_imports_of_a_command(self):
        """A command that runs is imported, without the others."""
        modules = modules_after("users", "--help")

        assert "roster.commands.users" in modules
        assert "roster.commands.serve" not in modules


@pytest.mark.parametrize("lazy", cli.lazy.values(), ids=lambda lazy: lazy.name)
class TestCommands:
    def test_name(self, lazy):
        """A command has the same name in its group as by itself."""
        assert lazy.load().name == lazy.name

    @pytest.mark.parametrize("width", [45, 200])
    def test_help(self, lazy, width):
        """The group says about a command what the command says about itself."""
        listed = cli.commands[lazy.name].get_short_help_str(width)

        assert listed == lazy.load().get_short_help_str(width)
