"""`make sbom` lists what a running service contains."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import PYTHON_TOOLS
from tests.support.process_harness import PROJECT


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The document, written without a network: all URLs of packages lead to a closed port."""
    output: Path = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    command = [PYTHON_TOOLS / "python", PROJECT / "tools/sbom.py", output]
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9", "PATH": "/usr/bin:/bin"}
    subprocess.run(command, env=offline, check=True, timeout=120)
    return output.read_text()


@pytest.fixture(scope="module")
def document(text: str) -> dict[str, Any]:
    """The parsed document, which `tools/sbom.py` has validated against the schema."""
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_every_pinned_package(document: dict[str, Any]):
    """Each package of requirements/run.txt is listed with its version and its hashes (15.1.2)."""
    pinned = re.findall(
        r"^([\w.-]+)(?:\[.*\])?==([\w.]+)",
        (PROJECT / "requirements/run.txt").read_text(),
        re.MULTILINE,
    )
    python = [part for part in document["components"] if part["purl"].startswith("pkg:pypi/")]

    assert {(part["name"], part["version"]) for part in python} == set(pinned)
    assert [part["name"] for part in python if not part["hashes"]] == []


@pytest.mark.parametrize("name", ["swagger-ui-dist", "@picocss/pico"])
def test_npm(document: dict[str, Any], name: str):
    """Files of Swagger UI and Pico are part of Roster, and so are their packages."""
    assert [part for part in document["components"] if part["name"] == name]


def test_no_trace_of_the_computer(text: str, document: dict[str, Any]):
    """Neither paths of the computer nor a package index are in the document."""
    parts = [document["metadata"]["component"], *document["components"]]

    assert str(PROJECT) not in text
    assert [part["name"] for part in parts if "externalReferences" in part] == []
