"""The Bruno collection, run by Bruno's command line."""

import json
import re
from pathlib import Path

from tests.contract.conftest import PROJECT

COLLECTION = PROJECT / "examples" / "bruno"
# Bruno reads these from the folder of the collection, not as requests.
SETTINGS = {"collection.bru", "folder.bru"}


def position(request: Path) -> int:
    """Return the position of a request in the run, its `seq`."""
    [seq] = re.findall(r"^  seq: (\d+)$", request.read_text(), re.MULTILINE)
    return int(seq)


def requests_in_order() -> list[Path]:
    """Return the requests of all folders in the order of their positions."""
    files = [path for path in COLLECTION.glob("*/*.bru") if path.parent.name != "environments"]
    return sorted((path for path in files if path.name not in SETTINGS), key=position)


class TestCollection:
    def test_positions(self):
        """The positions of the requests are distinct, whatever their folder."""
        positions = [position(path) for path in requests_in_order()]

        assert positions == list(range(1, len(positions) + 1))

    def test_runs_from_first_to_last(self, run, tmp_path, base):
        """Every request gets the response that the collection expects, with the demo users."""
        report = tmp_path / "report.json"
        requests = [path.relative_to(COLLECTION) for path in requests_in_order()]
        # The other sandbox loads in the background and fails if the first response is faster.
        sandbox = ("--sandbox", "developer")
        options = (*sandbox, "--env", "local", "--env-var", f"base={base}", "--output", report)

        run("sh", "-c", f"cd '{COLLECTION}' && exec bru run \"$@\"", "bru", *requests, *options)

        [summary] = [part["summary"] for part in json.loads(report.read_text())]
        assert summary["totalRequests"] == len(requests) > 0
        assert summary["passedRequests"] == summary["totalRequests"]
        assert summary["passedAssertions"] == summary["totalAssertions"] > 0
