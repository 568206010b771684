"""Metrics of a service with several workers, scraped like Prometheus does."""

import os
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.person import PASSWORD
from tests.support.process_harness import (
    HERE,
    ProcessHarness,
    Running,
    free_port,
    last_line,
    wait_for,
)

# Labels of metrics that have one for each request, and how many of them each metric may have.
_WORDS = {"method", "route", "status", "type", "lane", "operation", "outcome", "state", "kind"}


def scrape(port: int) -> str:
    """Return the text of all metrics."""
    with urllib.request.urlopen(f"http://{HERE}:{port}/metrics", timeout=10) as response:
        return response.read().decode()


class Scraped:
    """A service, and the port of its metrics."""

    def __init__(self, service: Running, port: int) -> None:
        self.service = service
        self.port = port

    def value(self, name: str, **labels: str) -> float:
        """Return the value of a sample; 0 if it does not exist."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(scrape(self.port))
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture(scope="module")
def scraped(tmp_path_factory, transport) -> Iterator[Scraped]:
    """A service with metrics, shared by the tests of this module."""
    harness = ProcessHarness(tmp_path_factory.mktemp("metrics"), transport)
    port = free_port()
    service = harness.serve(
        ROSTER_METRICS_PORT=str(port),
        ROSTER_RATE_LIMITS="off",
        ROSTER_FAILED_SIGN_IN_TIME="0s",
    )
    yield Scraped(service, port)
    harness.close()


class TestCounts:
    def test_responses(self, scraped):
        """Responses are counted by method, route and status, whichever worker serves them."""
        route = {"method": "GET", "route": "/v1/sessions", "status": "401"}
        before = scraped.value("roster_requests_total", **route)
        for _ in range(20):
            scraped.service.call("GET", "/v1/sessions")

        assert scraped.value("roster_requests_total", **route) - before == 20

    def test_durations(self, scraped):
        """Each response of a route is in its histogram of durations."""
        route = {"method": "GET", "route": "/health/ready"}
        before = scraped.value("roster_request_duration_seconds_count", **route)
        scraped.service.call("GET", "/health/ready")

        assert scraped.value("roster_request_duration_seconds_count", **route) - before == 1

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/tulip"), ("GET", "/v1/users/tulip/x"), ("BREW", "/v1/sessions")],
    )
    def test_bounded_labels(self, scraped, method, path):
        """A path that no route has, and a method that no route knows, become no labels."""
        scraped.service.call(method, path)

        assert "tulip" not in scrape(scraped.port)
        assert "BREW" not in scrape(scraped.port)

    def test_problems(self, scraped):
        """Error responses are counted by the type of their problem."""
        before = scraped.value("roster_problems_total", type="not-found")
        scraped.service.call("GET", "/v1/nothing")

        assert scraped.value("roster_problems_total", type="not-found") - before == 1

    def test_rejected_by_the_front(self, scraped):
        """A body that is too large is counted, though no route was reached."""
        before = scraped.value("roster_problems_total", type="payload-too-large")
        scraped.service.call("POST", "/v1/sessions", {"login": "x" * 70_000})

        assert scraped.value("roster_problems_total", type="payload-too-large") - before == 1

    def test_database_calls(self, scraped):
        """Calls to DynamoDB are counted by operation and outcome, with the units they consumed."""
        labels = {"operation": "TransactWriteItems", "outcome": "ok"}
        calls = scraped.value("roster_database_calls_total", **labels)
        units = scraped.value("roster_database_consumed_units_total")
        scraped.service.sign_in("jane")

        assert scraped.value("roster_database_calls_total", **labels) - calls == 1
        assert scraped.value("roster_database_consumed_units_total") - units > 9

    def test_rejected_writes(self, scraped):
        """A write whose condition fails is `rejected`, not `unavailable`."""
        name = "roster_database_calls_total"
        scraped.service.sign_up("grace")
        before = scraped.value(name, outcome="rejected")
        assert scraped.service.sign_up("grace").status == 409

        assert scraped.value(name, outcome="rejected") > before
        assert scraped.value(name, outcome="unavailable") == 0

    @pytest.mark.parametrize(("outcome", "password"), [("success", None), ("failure", "wrong")])
    def test_sign_ins(self, scraped, outcome, password):
        """Sign-ins are counted by their outcome."""
        before = scraped.value("roster_sign_ins_total", outcome=outcome)
        scraped.service.sign_up("heidi")
        body = {"login": "heidi", "password": password or PASSWORD}
        scraped.service.call("POST", "/v1/sessions", body)

        assert scraped.value("roster_sign_ins_total", outcome=outcome) - before == 1

    def test_sign_ups(self, scraped):
        """Created accounts are counted."""
        before = scraped.value("roster_sign_ups_total")
        scraped.service.sign_up("ivan")

        assert scraped.value("roster_sign_ups_total") - before == 1

    def test_lockouts(self, scraped):
        """A lockout is counted once, when it begins."""
        body = {"login": "no-such-user", "password": "wrong"}
        for _ in range(20):
            scraped.service.call("POST", "/v1/sessions", body)

        assert scraped.value("roster_lockouts_total") == 1

    @pytest.mark.parametrize(
        ("name", "labels"),
        [
            ("roster_problems_total", {"type": "internal-error"}),
            ("roster_emails_total", {"kind": "reset-password", "outcome": "failed"}),
        ],
    )
    def test_begins_at_zero(self, scraped, name, labels):
        """What alerts watch exists before it happens: a rate needs a value of before."""
        pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())

        assert f"{name}{{{pairs}}} 0.0" in scrape(scraped.port)

    def test_emails(self, scraped):
        """A delivered email is counted by its kind."""
        scraped.service.call("POST", "/v1/password-resets", {"email": "jane@example.com"})

        wait_for(
            lambda: scraped.value("roster_emails_total", kind="reset-password", outcome="sent"),
            "the email is sent",
        )


class TestSamples:
    def test_workers(self, scraped):
        """The number of running workers is a metric."""
        wait_for(lambda: scraped.value("roster_workers") == 2, "both workers are counted")

    @pytest.mark.parametrize("lane", ["requests", "passwords", "probes"])
    def test_lanes(self, scraped, lane):
        """Each lane has a number of requests."""
        wait_for(
            lambda: f'roster_lane_requests{{lane="{lane}"}}' in scrape(scraped.port),
            "the lane was sampled",
        )

    def test_labels(self, scraped):
        """No label has a value of a user or of a request's text."""
        scraped.service.sign_in("jane")
        families = text_string_to_metric_families(scrape(scraped.port))
        labels = {
            name for family in families for sample in family.samples for name in sample.labels
        }

        assert labels - {"le"} <= _WORDS
        assert "jane" not in scrape(scraped.port)
        assert HERE not in scrape(scraped.port)


class TestFormat:
    @pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
    def test_promtool(self, scraped):
        """Prometheus' own checker accepts the metrics."""
        text = scrape(scraped.port).encode()
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
        )

        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


class TestLifetime:
    def test_killed_worker(self, harness):
        """After a worker is replaced, its counts remain and it is not counted as running."""
        port = free_port()
        service = harness.serve(ROSTER_METRICS_PORT=str(port))
        scraped = Scraped(service, port)
        for _ in range(8):
            service.call("GET", "/v1/sessions")
        before = scraped.value("roster_requests_total", route="/v1/sessions")
        killed = service.workers[0]
        os.kill(killed, signal.SIGKILL)

        wait_for(lambda: len({*service.workers} - {killed}) == 2, "another worker runs")
        wait_for(lambda: scraped.value("roster_workers") == 2, "the new worker is counted")
        assert scraped.value("roster_requests_total", route="/v1/sessions") >= before

    def test_silent_client(self, scraped):
        """A client that sends nothing delays a scrape by seconds only."""
        with socket.create_connection((HERE, scraped.port)):
            assert "roster_workers" in scrape(scraped.port)

    def test_stop(self, harness):
        """The service stops cleanly, with the port of its metrics and without a folder left."""
        port = free_port()
        folder = harness.folder / "tmp"
        folder.mkdir()
        service = harness.serve(ROSTER_METRICS_PORT=str(port), TMPDIR=str(folder))
        assert [path.name.startswith("roster-metrics-") for path in folder.iterdir()] == [True]

        assert service.stop() == 0
        assert list(folder.iterdir()) == []
        with pytest.raises(urllib.error.URLError):
            scrape(port)


class TestSettings:
    def test_off(self, harness):
        """Without the setting, no worker keeps metrics."""
        service = harness.serve()
        maps = [Path(f"/proc/{pid}/maps").read_text() for pid in service.workers]

        assert "roster-metrics" not in "".join(maps)

    def test_taken_port(self, harness, taken_port):
        """A port that is in use is one line that names the setting."""
        status, said = harness.run_forked(
            "serve", "--local", "--port", str(free_port()), ROSTER_METRICS_PORT=str(taken_port)
        )

        assert status == 1
        assert "ROSTER_METRICS_PORT" in last_line(said)

    def test_port_of_the_service(self, harness):
        """The port of the API itself is rejected."""
        port = str(free_port())
        status, said = harness.run_forked(
            "serve", "--local", "--port", port, ROSTER_METRICS_PORT=port
        )

        assert status == 1
        assert last_line(said) == (
            "Error: ROSTER_METRICS_PORT must be another port than that of the API."
        )
