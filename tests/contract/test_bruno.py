"""The Bruno collection, run by Bruno's command line."""

import json

from tests.contract.conftest import PROJECT

COLLECTION = PROJECT / "openapi" / "bruno"


class TestCollection:
    def test_runs_from_top_to_bottom(self, run, tmp_path, base):
        """Every request gets the response that the collection expects, with the demo users."""
        report = tmp_path / "report.json"
        options = ("--env", "local", "--env-var", f"base={base}", "--output", report)

        run("sh", "-c", f"cd '{COLLECTION}' && exec bru run \"$@\"", "bru", *options)

        [summary] = [part["summary"] for part in json.loads(report.read_text())]
        assert summary["totalRequests"] == len(list(COLLECTION.glob("[0-9]*.bru")))
        assert summary["passedRequests"] == summary["totalRequests"]
        assert summary["passedAssertions"] == summary["totalAssertions"] > 0
