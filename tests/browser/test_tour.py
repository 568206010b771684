"""Each page in each state that people see: axe, widths, and the trees that screen readers get.

`make test-browser` installs the browser. `make screenshots` writes the trees, of which the change
is to be read: it is what people hear.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.process_harness import DEMO_PASSWORD, ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")

TREES = {path.stem: path.read_text() for path in (HERE / "trees").glob("*.yaml")}
STOPS = 61


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Visit each stop of the tour; return the observations."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("tour"))) as stage:
        base = f"http://127.0.0.1:{stage.serve().port}"
        driver = subprocess.run(
            ["node", HERE / "tour_checks.mjs", base, DEMO_PASSWORD],
            capture_output=True,
            text=True,
            timeout=560,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


@pytest.mark.timeout(600)
class TestTour:
    def test_axe(self, observed):
        """WCAG 2.2 AA: axe finds nothing, light and dark, at 1280 and at 390 pixels."""
        assert observed["axe"] == []
        assert observed["checked"] == 4 * STOPS

    def test_width(self, observed):
        """No page is wider than the screen, down to 320 pixels (WCAG 1.4.10)."""
        assert observed["overflow"] == []

    def test_console_is_empty(self, observed):
        """The console has no errors of scripts; rejections are 4xx responses."""
        errors = [text for text in observed["console"] if "Failed to load resource" not in text]

        assert errors == []

    def test_all_trees(self, observed):
        """The main pages have a tree each."""
        assert observed["trees"].keys() == TREES.keys()

    @pytest.mark.parametrize("name", TREES)
    def test_tree(self, observed, name):
        """Screen readers get what was reviewed; if this fails, run `make screenshots`."""
        assert observed["trees"][name] == TREES[name]
