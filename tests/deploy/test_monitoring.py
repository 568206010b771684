"""The dashboard and the alerts of Prometheus: valid, and about metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from roster.observability.metrics import definitions
from tests.support.documents import DOCS
from tests.support.process_harness import PROJECT

FOLDER = PROJECT / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
ALERTS = (FOLDER / "alerts.yml").read_text()
SAMPLES = {
    sample
    for metric in vars(definitions).values()
    if isinstance(metric, MetricWrapperBase)
    for sample in (
        [f"{metric._name}{suffix}" for suffix in ("_bucket", "_sum", "_count")]
        if metric._type == "histogram"
        else [f"{metric._name}_total" if metric._type == "counter" else metric._name]
    )
}


def names_in(text: str) -> set[str]:
    """Return the names of Roster's metrics in expressions."""
    return set(re.findall(r"\broster_\w+", text))


class TestDashboard:
    @pytest.mark.parametrize("title", PANELS)
    def test_metrics_exist(self, title):
        """A panel shows metrics that the service has."""
        expressions = [target["expr"] for target in PANELS[title]["targets"]]

        assert names_in(" ".join(expressions)) <= SAMPLES
        assert all(map(names_in, expressions))

    def test_every_metric(self):
        """Each metric is on the dashboard."""
        shown = names_in(json.dumps(DASHBOARD))
        families = {re.sub("_(bucket|sum|count)$", "", name) for name in SAMPLES}

        assert families == {re.sub("_(bucket|sum|count)$", "", name) for name in shown}

    def test_panels_are_apart(self):
        """No two panels have the same number or the same place."""
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

        assert len(set(places)) == len(places) == len({each["id"] for each in PANELS.values()})


class TestAlerts:
    def test_metrics_exist(self):
        """The alerts are about metrics that the service has."""
        assert names_in(ALERTS) <= SAMPLES

    def test_each_is_explained(self):
        """The documentation says what to do about each alert."""
        alerts = re.findall(r"alert: (\w+)", ALERTS)
        explained = re.findall(r"^\| `(Roster\w+)` \|", (DOCS / "operations.md").read_text(), re.M)

        assert explained == alerts

    @pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
    @pytest.mark.parametrize(
        "check",
        [
            ("check", "config", "prometheus.yml"),
            ("test", "rules", str(Path(__file__).with_name("alerts_test.yml"))),
        ],
        ids=["configuration", "rules"],
    )
    def test_promtool(self, check):
        """Prometheus reads the files, and each alert fires for what it is about only."""
        checked = subprocess.run(
            ["promtool", *check], cwd=FOLDER, capture_output=True, text=True, check=False
        )

        assert checked.returncode == 0, checked.stdout + checked.stderr
