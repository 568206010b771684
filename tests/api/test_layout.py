"""The files of each group of routes."""

from pathlib import Path

import pytest

import api

ROOT = Path(api.__file__).parent
GROUPS = [
    *(path for path in sorted((ROOT / "v1").iterdir()) if (path / "__init__.py").exists()),
    ROOT / "health",
    ROOT / "problem_types",
]


class TestLayout:
    def test_groups_are_found(self):
        """The test covers the packages under api/v1."""
        assert {"users", "sessions"} < {path.name for path in GROUPS}

    @pytest.mark.parametrize("group", GROUPS, ids=lambda path: path.name)
    def test_files(self, group):
        """A group of routes has the two modules routes.py and schemas.py, and no other."""
        modules = {path.name for path in group.rglob("*.py")} - {"__init__.py"}

        assert modules == {"routes.py", "schemas.py"}
