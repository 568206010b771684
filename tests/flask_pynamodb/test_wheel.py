"""The extension as a distribution of its own: built, installed into nothing, used."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.engine import local_engine

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "flask_pynamodb"
UV = Path(sys.executable).parent / "uv"


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


def blocks(language: str) -> list[str]:
    """The blocks of code in the README."""
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, (SOURCE / "README.md").read_text(), re.DOTALL | re.MULTILINE)


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
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the package's folder and nothing else."""
    folder = tmp_path_factory.mktemp("build")
    copy = shutil.copytree(
        SOURCE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=copy)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a clean environment that holds the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("clean")
    locked = (ROOT / "requirements" / "test.txt").read_text()
    versions = re.findall(r"^([\w.-]+)(?:\[.*\])?(==[^\\\n]+)", locked, re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(map("".join, versions)))
    run(UV, "venv", "-q", "--python", sys.executable, folder / "venv", cwd=folder)
    interpreter = folder / "venv" / "bin" / "python"
    run(
        *(UV, "pip", "install", "-q", "--python", interpreter),
        *("-c", folder / "constraints.txt", wheel, "pytest", "moto[dynamodb,server]"),
        cwd=folder,
    )
    return interpreter


class TestWheel:
    def test_contents(self, wheel):
        """The wheel holds every module, the marker of its types, and nothing of Roster's."""
        names = zipfile.ZipFile(wheel).namelist()
        modules = {str(path.relative_to(ROOT)) for path in SOURCE.rglob("*.py")}

        assert modules | {"flask_pynamodb/py.typed"} == {
            name for name in names if ".dist-info/" not in name
        }

    def test_quickstart(self, python, tmp_path):
        """The program of the README runs in an environment without Roster."""
        (tmp_path / "quickstart.py").write_text("\n".join(blocks("python")))

        # The program names its tables itself, so it has an engine of its own.
        with local_engine() as engine:
            run(
                *(python, "-W", "error", "quickstart.py"),
                cwd=tmp_path,
                DYNAMODB_HOST=engine.host,
                AWS_ACCESS_KEY_ID="local",
                AWS_SECRET_ACCESS_KEY="local",
            )

    def test_start_with_moto(self, python, tmp_path):
        """The first commands of the README work with nothing but pip: moto is the database."""
        (tmp_path / "todo.py").write_text(blocks("python")[0])
        port = free_port()
        moto = [python.parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
        keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        with subprocess.Popen(moto, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                wait_for(port)
                created = run(
                    *(python, "-m", "flask", "--app", "todo", "dynamodb", "create"),
                    cwd=tmp_path,
                    DYNAMODB_HOST=f"http://127.0.0.1:{port}",
                    **keys,
                )
            finally:
                server.terminate()

        assert created == "created todo-todo\nAll tables exist.\n"

    def test_example_suite(self, python, tmp_path):
        """The test suite of the README passes with nothing but pip."""
        (tmp_path / "todo.py").write_text(blocks("python")[0])
        for name, text in zip(["conftest.py", "test_todo.py"], blocks("py"), strict=True):
            (tmp_path / name).write_text(text)

        output = run(python, "-m", "pytest", "-q", cwd=tmp_path, DYNAMODB_ENGINE="")

        assert "2 passed" in output

    def test_command(self, python, tmp_path):
        """`flask dynamodb` is there for any app, without a line of code."""
        (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")

        listed = run(python, "-m", "flask", "dynamodb", "--help", cwd=tmp_path)

        assert "iam-policy" in listed
