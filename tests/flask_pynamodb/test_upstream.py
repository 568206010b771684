"""PynamoDB's own tests of models, out of its source distribution, which `make test` downloads.

They are not copied into this repository. Only their import of `Model` is replaced. The source
distribution has the unit tests, but not the integration tests, and not the files with answers of
DynamoDB; `upstream/` has some in their place.
"""

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / ".venv" / "upstream" / f"pynamodb-{version('pynamodb')}.tar.gz"
HELPERS = Path(__file__).parent / "upstream"
IMPORT = "from pynamodb.models import Model\n"
# The other modules are about PynamoDB's connections and settings, without models.
MODULES = [
    "test_attributes",
    "test_binary_legacy_encoding",
    "test_discriminator",
    "test_exceptions",
    "test_expressions",
    "test_model",
    "test_pagination",
]
# Tests that fail with PynamoDB's own Model, too: they need answers, or fixtures of pytest-mock,
# that the source distribution does not have.
LACKS = {
    "test_complex_key",
    "test_complex_model_retrieve_from_db",
    "test_delete_with_wait",
    "test_deserializing_map_four_layers_deep_works",
    "test_list_of_map_with_of_and_custom_attribute",
    "test_model_subclass_attributes_inherited_on_create",
    "test_model_with_list_of_map_retrieve_from_db",
    "test_model_with_list_retrieve_from_db",
    "test_model_with_maps_retrieve_from_db",
    "test_model_with_maps_with_nulls_retrieve_from_db",
    "test_model_with_maps_with_snake_case_attributes",
    "test_raw_map_as_sub_map_from_raw_data_works",
    "test_raw_map_from_raw_data_works",
}
# Intended differences of the extension's models.
DIFFERS = {
    "test_connection_inheritance": "each model has a table of its own, also a child without Meta",
    "test_create_model": "the connection is that of the app; Model._connection stays None",
    "test_inherit_metaclass": "a class without a hash key is abstract and has no table",
    "test_no_table_name_exception": "without a name in Meta, the table is named after the class",
    "test_old_style_model_exception": "the same, and Meta is optional",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run the tests with one of the two classes; return the names by their outcomes."""
    if not ARCHIVE.exists():
        raise FileNotFoundError(f"{ARCHIVE} is missing: `make test` downloads it.")

    def run(base: str) -> dict[str, set[str]]:
        folder = tmp_path_factory.mktemp("upstream")
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(folder, filter="data")
        (source,) = folder.iterdir()
        for helper in HELPERS.glob("*.py"):
            (source / "tests" / helper.name).write_text(helper.read_text())
        for module in (source / "tests").glob("test_*.py"):
            module.write_text(module.read_text().replace(IMPORT, f"from {base} import Model\n"))
        return _run(source)

    return run


def _run(source: Path) -> dict[str, set[str]]:
    """Run the modules; no request leaves the machine."""
    (source / "pytest.ini").write_text("[pytest]\n")
    report = source / "report.xml"
    environment = {
        **{name: os.environ[name] for name in os.environ if not name.startswith("AWS_")},
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "PYTHONPATH": f"{source}{os.pathsep}{ROOT}",
    }
    modules = [f"tests/{module}.py" for module in MODULES]
    options = ["-q", "-p", "no:cacheprovider", "--junitxml", report]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *modules],
        cwd=source,
        env=environment,
        capture_output=True,
        timeout=150,
    )
    outcomes: dict[str, set[str]] = {"passed": set(), "failed": set()}
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = "passed" if len(case) == 0 else "failed"
        outcomes[outcome].add(case.attrib["name"])
    return outcomes


def test_stock(outcomes):
    """With PynamoDB's own Model, all tests pass but those that lack something."""
    found = outcomes("pynamodb.models")

    assert found["failed"] == LACKS
    assert len(found["passed"]) > 200


def test_extension(outcomes):
    """With the extension's Model, all of them pass but those with an intended difference."""
    found = outcomes("tests.app_model")

    assert found["failed"] == LACKS | DIFFERS.keys()
    assert len(found["passed"]) > 200
