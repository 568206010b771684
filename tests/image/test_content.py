"""What is in the image, and what is not."""

import json
import tomllib

import pytest

from tests.support.container import BASE, IMAGE, size_of
from tests.support.documents import ROOT

# Above the base, in bytes.
MAX_SIZE = 120_000_000
INSTALLED = """
from importlib.metadata import distributions
import json
print(json.dumps(sorted(one.name.lower().replace("_", "-") for one in distributions())))
"""
MISSING = """
from importlib.metadata import PackageNotFoundError, distributions, version
from packaging.requirements import Requirement
for one in distributions():
    for need in map(Requirement, one.requires or ()):
        if not need.marker or need.marker.evaluate({"extra": ""}):
            try:
                assert need.specifier.contains(version(need.name), prereleases=True), need
            except PackageNotFoundError:
                print(one.name, "needs", need)
"""
BUILD_TOOLS = """
import importlib.util, shutil
commands = "pip pip3 uv cc gcc g++ clang c++ tcc make ld as cargo rustc go".split()
modules = "pip ensurepip setuptools hatchling wheel editables".split()
print([one for one in commands if shutil.which(one)])
print([one for one in modules if importlib.util.find_spec(one)])
"""
# Roster calls the first two, botocore the others to get credentials.
CLIENTS = """
from botocore.session import Session
for name in ("dynamodb", "secretsmanager", "sts", "sso", "sso-oidc", "signin"):
    Session().create_client(name, region_name="us-east-1")
"""


@pytest.fixture(scope="module")
def bill(image) -> dict:
    """The software bill of materials in the image."""
    return json.loads((image.root / "usr/share/doc/roster/sbom.cdx.json").read_text())


class TestContent:
    def test_size(self, record_property):
        """The image is at most 120 MB larger than its base."""
        size = size_of(IMAGE) - size_of(BASE)
        record_property("bytes above the base", size)
        print(f"{size / 1_000_000:.1f} MB above the base")

        assert size <= MAX_SIZE

    def test_no_build_tools(self, image):
        """There is neither a compiler nor an installer nor a build backend."""
        assert image.run("python", "-c", BUILD_TOOLS).stdout == "[]\n[]\n"
        assert image.run("/usr/local/bin/python", "-c", BUILD_TOOLS).stdout == "[]\n[]\n"

    def test_nothing_is_missing(self, image):
        """Every installed package has what it needs."""
        assert image.run("python", "-c", MISSING).stdout == ""

    def test_clients(self, image):
        """The definitions of the AWS services that are called were kept."""
        answer = image.run("python", "-c", CLIENTS)

        assert (answer.returncode, answer.stdout) == (0, "")

    def test_labels(self, image):
        """The labels of OCI name product, license and version."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        labels = image.config["Labels"]

        assert labels["org.opencontainers.image.title"] == "Roster"
        assert labels["org.opencontainers.image.licenses"] == project["license"]
        assert labels["org.opencontainers.image.version"] == project["version"]
        assert labels["org.opencontainers.image.revision"] != "unknown"

    def test_bill_of_materials(self, image, bill):
        """It lists every installed package except Roster, which it is about."""
        listed = {part["name"].lower().replace("_", "-") for part in bill["components"]}
        installed = set(json.loads(image.run("python", "-c", INSTALLED).stdout)) - {"roster"}

        assert bill["bomFormat"] == "CycloneDX"
        assert bill["metadata"]["component"]["name"] == "roster"
        assert installed - listed == set()

    def test_no_trace_of_the_build(self, image):
        """No file of the project outside of the packages was copied."""
        assert list(image.root.glob("src")) == []
        assert list(image.root.glob("opt/*")) == [image.root / "opt/roster"]
