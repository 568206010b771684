"""Imports of the packages: at module level only, and without cycles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("roster", "web", "api", "models", "flask_pynamodb")


def _module(path: Path) -> str:
    """Return the dotted name of a file's module."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


PATHS = {_module(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
TREES = {module: ast.parse(path.read_text()) for module, path in PATHS.items()}


def _nested_imports(tree: ast.Module) -> list[int]:
    """Return the lines of imports inside functions."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [
        statement.lineno
        for function in ast.walk(tree)
        if isinstance(function, functions)
        for statement in ast.walk(function)
        if isinstance(statement, ast.Import | ast.ImportFrom)
    ]


def _imports(module: str, typing: bool) -> set[str]:
    """Return the modules of this project that a module imports.

    Args:
        typing: Whether imports under `if TYPE_CHECKING` count.
    """
    found: set[str | None] = set()
    for statement in _statements(TREES[module], typing):
        if isinstance(statement, ast.Import):
            found.update(_existing(alias.name) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            source = _source(module, statement)
            for alias in statement.names:
                submodule = f"{source}.{alias.name}"
                found.add(submodule if submodule in PATHS else _existing(source))
    return {name for name in found if name and name != module}


def _statements(node: ast.AST, typing: bool) -> Iterator[ast.AST]:
    """Walk a tree, without the bodies of `if TYPE_CHECKING` unless typing counts."""
    for child in ast.iter_child_nodes(node):
        if typing or not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from _statements(child, typing)


def _source(module: str, statement: ast.ImportFrom) -> str:
    """Return the absolute name of the module behind `from`."""
    if not statement.level:
        return statement.module or ""
    package = module if PATHS[module].name == "__init__.py" else module.rpartition(".")[0]
    parents = package.split(".")[: len(package.split(".")) - statement.level + 1]
    return ".".join([*parents, *filter(None, [statement.module])])


def _existing(name: str) -> str | None:
    return name if name in PATHS else None


def _cycles(imports: dict[str, set[str]]) -> Iterator[list[str]]:
    """Find import cycles by depth-first search; each is reported once."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> Iterator[list[str]]:
        if module in path:
            yield [*path[path.index(module) :], module]
            return
        if module in done:
            return
        for imported in sorted(imports[module]):
            yield from visit(imported, [*path, module])
        done.add(module)

    for module in sorted(imports):
        yield from visit(module, [])


class TestImports:
    @pytest.mark.parametrize("module", sorted(TREES))
    def test_at_module_level(self, module):
        """No function contains an import."""
        assert _nested_imports(TREES[module]) == []

    def test_no_cycles(self):
        """No module imports itself through others."""
        assert list(_cycles({module: _imports(module, typing=False) for module in TREES})) == []

    @pytest.mark.parametrize("package", PACKAGES)
    def test_no_cycles_for_typing(self, package):
        """No module imports itself through others, `if TYPE_CHECKING` included."""
        modules = [module for module in TREES if module.partition(".")[0] == package]
        imports = {module: _imports(module, typing=True) & {*modules} for module in modules}

        assert list(_cycles(imports)) == []

    def test_cycles_are_found(self):
        """A cycle is reported with the modules on it."""
        imports = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}

        assert list(_cycles(imports)) == [["b", "c", "b"]]

    def test_nested_imports_are_found(self):
        """An import inside a function or method is reported by its line."""
        tree = ast.parse("def f():\n import a\nclass C:\n def m(self):\n  from b import c\n")

        assert _nested_imports(tree) == [2, 5]

    def test_typing_imports_are_separate(self):
        """Statements under `if TYPE_CHECKING` are left out unless typing counts."""
        tree = ast.parse("import a\nif TYPE_CHECKING:\n    import b\n")

        found = [
            [
                ast.unparse(each)
                for each in _statements(tree, typing)
                if isinstance(each, ast.Import)
            ]
            for typing in (False, True)
        ]

        assert found == [["import a"], ["import a", "import b"]]
