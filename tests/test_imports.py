"""Imports of the packages: at module level unless a comment tells why not, and without cycles."""

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
# What few processes need and is slow to import may be imported by the function that needs it.
EXCEPTION = "# noqa: PLC0415"


def _nested_imports(source: str) -> list[int]:
    """Return the lines of imports inside functions, except those with a reason above them."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    lines = source.splitlines()
    return [
        statement.lineno
        for function in ast.walk(ast.parse(source))
        if isinstance(function, functions)
        for statement in ast.walk(function)
        if isinstance(statement, ast.Import | ast.ImportFrom)
        and not _has_reason(lines[statement.lineno - 2 : statement.lineno])
    ]


def _has_reason(lines: list[str]) -> bool:
    above, statement = lines
    return statement.endswith(EXCEPTION) and above.lstrip().startswith("# ")


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
        """No function contains an import, unless a comment above it tells why."""
        assert _nested_imports(PATHS[module].read_text()) == []

    @pytest.mark.parametrize(
        ("comment", "lines"),
        [("# Slow to import.", []), ("pass", [3])],
    )
    def test_in_functions_with_reason_only(self, comment, lines):
        """An import inside a function is found when no comment tells why it is there."""
        source = f"def plot():\n    {comment}\n    import ctypes  {EXCEPTION}\n"

        assert _nested_imports(source) == lines

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
        source = "def f():\n import a\nclass C:\n def m(self):\n  from b import c\n"

        assert _nested_imports(source) == [2, 5]

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
