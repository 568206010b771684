"""The extension as a distribution of its own: built, installed into nothing, used."""

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import local_engine

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "flask_pynamodb"
UV = Path(sys.executable).parent / "uv"
PAGES = sorted(path.name for path in (SOURCE / "docs").glob("*.md"))


def run(*command: object, cwd: Path, **environment: str) -> str:
    """The output of a command that must succeed."""
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}
    finished = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of code on a page of the copied folder."""
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """The commands in the console blocks of a page."""
    lines = "".join(blocks(page, "console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until a server accepts connections."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise TimeoutError(f"Nothing listens on port {port}.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package's folder and nothing else."""
    return shutil.copytree(
        SOURCE,
        tmp_path_factory.mktemp("alone") / "flask_pynamodb",
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )


@pytest.fixture(scope="module")
def sdist(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    target = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", target, cwd=folder)
    (built,) = target.glob("*.tar.gz")
    shutil.unpack_archive(built, target, filter="data")
    return target / built.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """The wheel, built from the source distribution."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", sdist.parent, cwd=sdist)
    (built,) = sdist.parent.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of the requirements, for pip and uv."""
    locked = (ROOT / "requirements" / "test.txt").read_text()
    versions = re.findall(r"^([\w.-]+)(?:\[.*\])?(==[^\\\n]+)", locked, re.MULTILINE)
    file = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    file.write_text("\n".join(map("".join, versions)))
    return file


@pytest.fixture(scope="module")
def python(wheel: Path, constraints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a clean environment that holds the wheel and what it asks for.

    uv installs it, since pip takes a minute for moto.
    """
    folder = tmp_path_factory.mktemp("clean")
    run(UV, "venv", "-q", "--python", sys.executable, folder / "venv", cwd=folder)
    interpreter = folder / "venv" / "bin" / "python"
    run(
        *(UV, "pip", "install", "-q", "--python", interpreter, "-c", constraints),
        *(f"{wheel}[curl]", "moto[dynamodb,server]", "pytest"),
        cwd=folder,
    )
    return interpreter


@contextlib.contextmanager
def started(*command: object, port: int, cwd: Path, **environment: str) -> Iterator[None]:
    """Run a server until the end of the block, from the time it accepts connections."""
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_for(port)
            yield
        finally:
            server.terminate()


class TestDistributions:
    def test_contents_of_the_wheel(self, wheel):
        """The wheel holds every module, the marker of its types, and nothing of Roster's."""
        names = zipfile.ZipFile(wheel).namelist()
        modules = {str(path.relative_to(ROOT)) for path in SOURCE.rglob("*.py")}

        assert modules | {"flask_pynamodb/py.typed"} == {
            name for name in names if ".dist-info/" not in name
        }

    def test_contents_of_the_sdist(self, sdist, folder):
        """The source distribution has all files of the folder."""
        packed = {str(path.relative_to(sdist)) for path in sdist.rglob("*") if path.is_file()}
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

        assert packed == files | {"PKG-INFO"} | packed & {".gitignore"}

    def test_license(self, wheel):
        """The license is in the wheel, and is that of the repository."""
        archive = zipfile.ZipFile(wheel)
        (name,) = [one for one in archive.namelist() if one.endswith("/licenses/LICENSE")]

        assert archive.read(name).decode() == (ROOT / "LICENSE").read_text()

    def test_install_by_pip(self, wheel, constraints, tmp_path):
        """pip installs the wheel into an empty environment, and it can be imported there."""
        run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
        pip = ["venv/bin/pip", "--disable-pip-version-check", "install", "-q", "--no-compile"]
        run(*pip, "-c", constraints, wheel, cwd=tmp_path)

        check = "import flask_pynamodb; print(flask_pynamodb.PynamoDB.__name__)"
        assert run("venv/bin/python", "-c", check, cwd=tmp_path) == "PynamoDB\n"

    def test_changelog(self, sdist):
        """The changelog has the changes that are not released, under their heading."""
        assert "\n## [Unreleased]\n" in (sdist / "CHANGELOG.md").read_text()


class TestQuickstart:
    @pytest.mark.parametrize("page", PAGES)
    def test_program(self, python, folder, tmp_path, page):
        """The program of each page runs in an environment without Roster."""
        pages = [folder / "README.md", folder / "docs" / page]
        program = "\n".join("\n".join(blocks(each, "python")) for each in pages)
        (tmp_path / "todo.py").write_text(program)

        # The program names its tables itself, so it has an engine of its own.
        with local_engine() as engine:
            run(
                *(python, "-W", "error", "todo.py"),
                cwd=tmp_path,
                DYNAMODB_HOST=engine.host,
                AWS_ACCESS_KEY_ID="local",
                AWS_SECRET_ACCESS_KEY="local",
            )

    def test_commands(self, python, folder, tmp_path):
        """The commands of the README work in an empty folder, from `flask run` to the first item.

        moto is the database. Only the ports are others, and the wheel is installed already.
        """
        (tmp_path / "todo.py").write_text(blocks(folder / "README.md", "python")[0])
        moto_port, flask_port = free_port(), free_port()
        venv, install, moto, export, create, serve, *requests = [
            command.replace("5500", str(moto_port)).replace(":5000", f":{flask_port}")
            for command in commands(folder / "README.md")
        ]
        environment = dict(word.split("=", 1) for word in export.split()[1:])
        environment["PATH"] = f"{python.parent}:{os.environ['PATH']}"
        with started(*moto.removesuffix(" &").split(), port=moto_port, cwd=tmp_path, **environment):
            created = run(*create.split(), cwd=tmp_path, **environment)
            server = [*serve.split(), "--port", flask_port]
            with started(*server, port=flask_port, cwd=tmp_path, **environment):
                answers = [run(*shlex.split(request), "-sS", cwd=tmp_path) for request in requests]

        assert venv == "python3 -m venv .venv && . .venv/bin/activate"
        assert install == 'pip install "./flask_pynamodb[curl]" "moto[dynamodb,server]"'
        assert created == "created todo-todo\nAll tables exist.\n"
        assert [json.loads(answer)["text"] for answer in answers] == 2 * ["Write the first program"]

    def test_example_suite(self, python, folder, tmp_path):
        """The example test suite passes with nothing but pip."""
        (tmp_path / "todo.py").write_text(blocks(folder / "README.md", "python")[0])
        for text in blocks(folder / "docs" / "testing.md", "py")[:2]:
            name = "conftest.py" if "pytest_plugins" in text else "test_todo.py"
            (tmp_path / name).write_text(text)

        output = run(python, "-m", "pytest", "-q", cwd=tmp_path, DYNAMODB_ENGINE="")

        assert "2 passed" in output

    def test_command(self, python, tmp_path):
        """`flask dynamodb` is there for any app, without a line of code."""
        (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")

        listed = run(python, "-m", "flask", "dynamodb", "--help", cwd=tmp_path)

        assert "iam-policy" in listed
