"""The client packages, built, installed and used with a running service."""

import functools
import json
import re
import runpy
import shutil
import sys
import tarfile
from pathlib import Path
from uuid import uuid4

import pytest

from tests.contract.conftest import DESCRIPTION, HERE, PYTHON_TOOLS, Run, run_tool
from tests.support.process_harness import DEMO_PASSWORD, PROJECT, Running

# A build takes ten seconds, and many times as long on a machine with other load.
pytestmark = pytest.mark.timeout(900)
CLIENTS = PROJECT / "clients"
EXAMPLES = PROJECT / "examples" / "clients"
PYTHON = PYTHON_TOOLS / "python"
SECRET = re.compile(r'"format": "password"|"pattern": "\^(r[a-z]{2}_|otpauth)')
VERSION = json.loads(DESCRIPTION.read_text())["info"]["version"]


def build(folder: Path) -> dict[str, Path]:
    """Build the packages into a folder; return each by its ending."""
    run_tool(sys.executable, CLIENTS / "build.py", folder, cwd=folder)
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> dict[str, Path]:
    """The wheel and the tarball."""
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def python_folder(packages, tmp_path_factory) -> Path:
    """A folder with the installed wheel; what it needs is in the environment of the tools."""
    folder = tmp_path_factory.mktemp("python")
    options = ("--quiet", "--no-deps", "--no-index", "--target", folder)
    run_tool(PYTHON, "-m", "pip", "install", *options, packages[".whl"], cwd=folder)
    return folder


@pytest.fixture(scope="module")
def node_folder(packages, tmp_path_factory) -> Path:
    """A folder with the package in node_modules, and the compiled examples and scripts."""
    folder = tmp_path_factory.mktemp("node")
    modules = folder / "node_modules"
    (modules / "@roster").mkdir(parents=True)
    with tarfile.open(packages[".tgz"]) as tarball:
        tarball.extractall(folder, filter="data")
    (folder / "package").rename(modules / "@roster" / "client")
    for name in ("openapi-fetch", "openapi-typescript-helpers", "@types"):
        (modules / name).symlink_to(HERE / "node_modules" / name)
    for path in (*EXAMPLES.glob("*.mts"), HERE / "client.mts", HERE / "tsconfig.json"):
        shutil.copy(path, folder)
    (folder / "readme.mts").write_text(code_of(CLIENTS / "typescript" / "README.md", "ts"))
    run_tool("tsc", "--project", folder / "tsconfig.json", cwd=folder)
    return folder


def code_of(page: Path, language: str) -> str:
    """Return the one example of a page in a language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    return str(code)


@pytest.fixture
def environment(service: Running, base: str) -> dict[str, str]:
    """The settings of the examples, with the token of an admin."""
    return {
        "ROSTER_URL": base,
        "ROSTER_PASSWORD": DEMO_PASSWORD,
        "ROSTER_TOKEN": service.token_of("john"),
    }


@pytest.fixture
def run_python(run: Run, python_folder: Path, environment: dict[str, str]) -> Run:
    """Run a script that imports the Python package; every warning is an error."""
    settings = {**environment, "PYTHONPATH": str(python_folder)}
    return functools.partial(run, PYTHON, "-W", "error", **settings)


@pytest.fixture
def run_node(run: Run, node_folder: Path, environment: dict[str, str]) -> Run:
    """Run a compiled script that imports the npm package."""
    return lambda script, *arguments, **settings: run(
        "node", node_folder / script, *arguments, **{**environment, **settings}
    )


@pytest.fixture
def name() -> str:
    """A username that is free."""
    return f"ada-{uuid4().hex[:8]}"


class TestPackages:
    def test_same_bytes(self, packages, tmp_path):
        """The same description makes the same packages, so that a build can be compared."""
        again = build(tmp_path)

        assert {end: path.read_bytes() for end, path in again.items()} == {
            end: path.read_bytes() for end, path in packages.items()
        }

    def test_version(self, packages):
        """The packages have the version of the service."""
        assert sorted(path.name for path in packages.values()) == [
            f"roster-client-{VERSION}.tgz",
            f"roster_client-{VERSION}-py3-none-any.whl",
        ]

    def test_secrets(self):
        """No representation shows a password or a token that the description has."""
        build = runpy.run_path(str(CLIENTS / "build.py"))
        schemas = json.loads(DESCRIPTION.read_text())["components"]["schemas"].values()
        members = [pair for schema in schemas for pair in schema.get("properties", {}).items()]
        secrets = {name for name, member in members if SECRET.search(json.dumps(member))}

        assert secrets >= {"password", "token"}
        assert secrets <= set(build["SECRETS"])

    def test_a_schema_that_the_generator_skips(self, run, tmp_path):
        """No package is built without a part of the description."""
        copy = tmp_path / "project"
        shutil.copytree(CLIENTS, copy / "clients")
        shutil.copy(PROJECT / "LICENSE", copy)
        description = json.loads(DESCRIPTION.read_text())
        description["paths"]["/v1/users"]["get"]["parameters"].append(
            {"name": "q", "in": "query", "style": "deepObject", "schema": {"type": "nonsense"}}
        )
        (copy / "openapi").mkdir()
        (copy / "openapi" / "openapi.json").write_text(json.dumps(description))

        refused = run(sys.executable, copy / "clients" / "build.py", tmp_path / "out", status=1)

        assert "list_users" in refused.stderr or "/v1/users" in refused.stderr
        assert list((tmp_path / "out").iterdir()) == []


class TestPython:
    def test_own_tests(self, run, python_folder, tmp_path):
        """The tests of the package pass."""
        for name in ("tests", "pyproject.toml"):
            (tmp_path / name).symlink_to(CLIENTS / "python" / name)
        options = ("-q", "-p", "no:cacheprovider")
        run(PYTHON, "-m", "pytest", *options, "tests", PYTHONPATH=str(python_folder))

    def test_requests(self, run_python, base):
        """Register, sign in, list all pages, update with an ETag, delete, create and use a key."""
        run_python(HERE / "client.py", base, DEMO_PASSWORD)

    def test_readme(self, run_python, tmp_path):
        """The example of the README runs."""
        script = tmp_path / "readme.py"
        script.write_text(code_of(CLIENTS / "python" / "README.md", "python"))
        printed = run_python(script).stdout

        assert printed.startswith("I am john\n")
        assert "jane jane@example.com" in printed

    def test_sign_up(self, run_python, name):
        """The example signs up, signs in and changes the profile."""
        printed = run_python(EXAMPLES / "sign_up.py", name, f"{name}@example.com").stdout

        assert printed == f"{name} is Ada Lovelace.\n"

    def test_sign_up_with_slips(self, run_python):
        """The example shows each field that the service rejects."""
        rejected = run_python(EXAMPLES / "sign_up.py", "a", "nowhere", status=1).stderr

        assert "422" in rejected
        assert "/username: " in rejected
        assert "/email: " in rejected

    def test_list_users(self, run_python):
        """The example prints all users."""
        assert "jane\tjane@example.com\n" in run_python(EXAMPLES / "list_users.py").stdout

    def test_list_users_with_an_ended_session(self, run_python):
        """The example shows the rejection as one line."""
        rejected = run_python(EXAMPLES / "list_users.py", status=1, ROSTER_TOKEN="rst_1").stderr

        assert rejected.startswith("401 ")
        assert rejected.count("\n") == 1


class TestTypeScript:
    def test_own_tests(self, node_folder):
        """The tests of the package pass."""
        shutil.copytree(CLIENTS / "typescript" / "tests", node_folder / "tests")
        run_tool("node", "--test", node_folder / "tests", cwd=node_folder)

    def test_requests(self, run_node, base):
        """The same as in Python, with the strictest compiler settings."""
        run_node("client.mjs", base, DEMO_PASSWORD)

    def test_readme(self, run_node):
        """The example of the README runs."""
        printed = run_node("readme.mjs").stdout

        assert printed.startswith("I am john\n")
        assert "jane jane@example.com" in printed

    def test_sign_up(self, run_node, name):
        """The example signs up, signs in and changes the profile."""
        printed = run_node("sign_up.mjs", name, f"{name}@example.com").stdout

        assert printed == f"{name} is Ada Lovelace.\n"

    def test_sign_up_with_slips(self, run_node):
        """The example shows each field that the service rejects."""
        rejected = run_node("sign_up.mjs", "a", "nowhere", status=1).stderr

        assert "422" in rejected
        assert "/username" in rejected
        assert "/email" in rejected

    def test_list_users(self, run_node):
        """The example prints all users."""
        assert "jane\tjane@example.com\n" in run_node("list_users.mjs").stdout

    def test_list_users_with_an_ended_session(self, run_node):
        """The example shows the rejection as one line."""
        rejected = run_node("list_users.mjs", status=1, ROSTER_TOKEN="rst_1").stderr

        assert rejected.startswith("401 ")
        assert rejected.count("\n") == 1
