"""Roster uses of the extension what any other app may use."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import flask_pynamodb

ROOT = Path(__file__).parent.parent.parent
EXTENSION = "flask_pynamodb"
REFERENCE = ROOT / "docs" / "api-reference.md"
PUBLIC = {f"{EXTENSION}.{name}" for name in flask_pynamodb.__all__} | set(
    re.findall(rf"{EXTENSION}\.(?:local|testing)\.\w+", REFERENCE.read_text())
)


def imported(source: str) -> Iterator[str]:
    """The full names of what a module takes from the extension."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if _is_of_extension(name.name))
        elif isinstance(node, ast.ImportFrom) and _is_of_extension(node.module or ""):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _is_of_extension(module: str) -> bool:
    return module.partition(".")[0] == EXTENSION


class TestRoster:
    @pytest.mark.parametrize("package", ["api", "models"])
    def test_imports_public_names_only(self, package: str) -> None:
        """What the service needs of the extension, the extension exports and documents."""
        used = {
            (str(path.relative_to(ROOT)), name)
            for path in (ROOT / package).rglob("*.py")
            for name in imported(path.read_text())
        }

        assert used
        assert sorted((path, name) for path, name in used if name not in PUBLIC) == []


class TestGuard:
    @pytest.mark.parametrize(
        ("line", "name"),
        [
            ("from flask_pynamodb import Model", "flask_pynamodb.Model"),
            ("from flask_pynamodb.local import Engine as E", "flask_pynamodb.local.Engine"),
            ("def f():\n    from flask_pynamodb import Page", "flask_pynamodb.Page"),
        ],
    )
    def test_public_name(self, line: str, name: str) -> None:
        """What is exported, or documented of a public module, may be imported anywhere."""
        assert list(imported(line)) == [name]
        assert name in PUBLIC

    @pytest.mark.parametrize(
        ("line", "name"),
        [
            ("from flask_pynamodb.pagination import Page", "flask_pynamodb.pagination.Page"),
            ("from flask_pynamodb import pagination", "flask_pynamodb.pagination"),
            ("from flask_pynamodb import *", "flask_pynamodb.*"),
            ("from flask_pynamodb.local import _claim", "flask_pynamodb.local._claim"),
            ("import flask_pynamodb.tables as tables", "flask_pynamodb.tables"),
            ("import flask_pynamodb", "flask_pynamodb"),
        ],
    )
    def test_private_name(self, line: str, name: str) -> None:
        """An import of another module, or of a whole module, is rejected."""
        assert list(imported(line)) == [name]
        assert name not in PUBLIC

    def test_another_package(self) -> None:
        """Imports within a package, and of modules with similar names, are accepted."""
        assert list(imported("from . import pagination\nimport flask_pynamodb_extras.x")) == []
