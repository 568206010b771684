"""Runs wrk with a generated script and parses its results."""

import json
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from bench.support import cpu
from bench.support.engine import find_engine
from bench.support.process import BenchError, environment

_THREADS = 2
# A response that takes longer counts as lost, which fails the run.
_TIMEOUT = 20
_WARM_UP = 1
# Lets requests that wrk has abandoned end before the next load starts.
_PAUSE = 0.5
# What wrk may take beyond its duration to start and to stop.
_TIMEOUT_MARGIN = 30

# wrk runs this once for each thread and once for itself; `setup` and `done` run in the latter.
_SCRIPT = Template("""
local threads = {}
local run_id, count = "$run_id", 0
wrong, rejected, example = 0, 0, ""
wrk.method = "$method"
wrk.body = $body
$headers
$request
$delay

function setup(thread)
  thread:set("thread_id", #threads)
  table.insert(threads, thread)
end

function response(status, headers, body)
  if status == $rejection_status then
    rejected = rejected + 1
  elseif status ~= $expected then
    wrong = wrong + 1
    example = status .. " " .. body
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("wrong")
    rejected = rejected + thread:get("rejected")
    if thread:get("wrong") > 0 then example = thread:get("example") end
  end
  print(string.format("\\nresult %d %d %d %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), wrong, rejected, errors.status, lost))
  print("example " .. example)
end
""")

# Each connection waits before its next request.
_DELAY = Template("""
function delay()
  return $milliseconds
end
""")

# Each request has a different body.
_REQUEST = Template("""
$body_function
function request()
  count = count + 1
  return wrk.format(nil, nil, nil, body_of(count))
end
""")


@dataclass(frozen=True)
class Load:
    """Requests of one kind.

    Attributes:
        name: The name of the measurement.
        pid: The first process of the server.
        url: The URL of all requests.
        method: The HTTP method.
        expected: The status of a successful response.
        rejection_status: A status that is counted instead of failing the run; 0 for none.
        headers: The headers of each request.
        body: The body of each request, in ASCII; empty for requests without a body.
        body_function: Instead of `body`, Lua that defines `body_of(number)`, the body of a thread's
            request with that number. It may use `run_id`, which is unique for each run, and
            `thread_id`, 0 or 1.
        pause: Milliseconds that each connection waits before its next request.
        engine_pid: The engine's process, if it is not a child of the server.
        proxy_pid: The process of a proxy between the server and the engine, if there is one; its
            processor time counts as the server's.
    """

    name: str
    pid: int
    url: str
    method: str = "GET"
    expected: int = 200
    rejection_status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    body_function: str = ""
    pause: int = 0
    engine_pid: int | None = None
    proxy_pid: int | None = None


@dataclass(frozen=True)
class Sample:
    """The result of one run.

    Attributes:
        rate: Responses, or hashes, per second.
        p99: 99th percentile of the latency in milliseconds; None for hashes.
        cpu: Processor time of one response or hash.
        rejected: The share of responses with the rejection status.
        p50: Median of the latency in milliseconds; None for hashes.
    """

    rate: float
    p99: float | None
    cpu: cpu.Cpu
    rejected: float = 0.0
    p50: float | None = None


def find_wrk() -> str:
    """Return the path of wrk.

    Raises:
        BenchError: wrk is not installed.
    """
    program = shutil.which("wrk")
    if program is None:
        raise BenchError("wrk is not installed. On Debian or Ubuntu: `apt-get install -y wrk`")
    return program


def run(load: Load, connections: int, seconds: int) -> Sample:
    """Make requests of one kind for a number of seconds, as fast as the responses arrive.

    Args:
        load: The requests.
        connections: The number of concurrent requests.
        seconds: The duration.

    Raises:
        BenchError: A response has an unexpected status, or is missing.
    """
    with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
        script = Path(folder) / "load.lua"
        script.write_text(_script(load))
        command = [find_wrk(), f"-t{_THREADS}", f"-c{connections}", f"-d{seconds}s"]
        command += ["--timeout", f"{_TIMEOUT}s", "--script", str(script), load.url]
        roots = {load.pid, load.engine_pid or load.pid, load.proxy_pid or load.pid}
        stop = cpu.start_meter(roots, find_engine())
        output = _output_of(command, seconds + _TIMEOUT_MARGIN)
        used = stop()
    return _parse(load, output, used)


def run_warm(load: Load, connections: int, seconds: int) -> Sample:
    """Run a load after a second of warm-up."""
    run(load, connections, _WARM_UP)
    time.sleep(_PAUSE)
    sample = run(load, connections, seconds)
    time.sleep(_PAUSE)
    return sample


def _script(load: Load) -> str:
    headers = (f'wrk.headers["{name}"] = "{value}"' for name, value in load.headers.items())
    function = load.body_function
    return _SCRIPT.substitute(
        run_id=secrets.token_hex(3),
        method=load.method,
        headers="\n".join(headers),
        # A JSON string of ASCII characters is also a Lua string.
        body=json.dumps(load.body) if load.body else "nil",
        request=_REQUEST.substitute(body_function=function) if function else "",
        delay=_DELAY.substitute(milliseconds=load.pause) if load.pause else "",
        expected=load.expected,
        rejection_status=load.rejection_status,
    )


def _output_of(command: list[str], timeout: int) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=environment()
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"wrk did not end within {timeout} s") from None
    if done.returncode or "result " not in done.stdout:
        raise BenchError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _parse(load: Load, output: str, used: cpu.Cpu) -> Sample:
    result, _, example = output.rpartition("result ")[2].partition("\nexample ")
    requests, microseconds, p50, p99, wrong, rejected, non_2xx, lost = map(int, result.split())
    non_2xx -= rejected
    if wrong or non_2xx:
        raise BenchError(
            f"{load.name}: {max(wrong, non_2xx)} of {requests} responses were not {load.expected},"
            f" for example: {example.strip()}"
        )
    if lost or not requests:
        raise BenchError(f"{load.name}: {requests} responses, and {lost} requests without one")
    rate = requests / microseconds * 1e6
    used_each = used.per_request(requests)
    return Sample(rate, p99 / 1000, used_each, rejected / requests, p50 / 1000)
