"""Runs wrk with a script of our own and reads what it found."""

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

from bench import cpu
from bench.process import BenchError, environment
from flask_pynamodb.local import find_binary

_THREADS = 2
# More than this and the answer counts as lost, which fails the run.
_TIMEOUT = 20
_WARM_UP = 1
# Requests that wrk leaves behind when its time is up are not the next load's.
_PAUSE = 0.5
# What wrk may need beyond its time to start and to stop.
_PATIENCE = 30

# wrk runs this once for each thread and once for itself; `setup` and `done` are its own.
_SCRIPT = Template("""
local threads = {}
local run_id, made = "$run_id", 0
wrong, refused, example = 0, 0, ""
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
  if status == $tolerated then
    refused = refused + 1
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
    refused = refused + thread:get("refused")
    if thread:get("wrong") > 0 then example = thread:get("example") end
  end
  print(string.format("\\nfound %d %d %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(99), wrong, refused, errors.status, lost))
  print("example " .. example)
end
""")

# Each connection waits before it asks again.
_WAITING = Template("""
function delay()
  return $milliseconds
end
""")

# A body of its own for each request.
_VARYING = Template("""
$bodies
function request()
  made = made + 1
  return wrk.format(nil, nil, nil, body_of(made))
end
""")


@dataclass(frozen=True)
class Load:
    """Requests of one kind.

    Attributes:
        name: What is asked, for people.
        pid: The first process of the server.
        url: Where to.
        method: The HTTP method.
        expected: The only status an answer may have.
        tolerated: But for this one, which is counted; 0 for none.
        headers: Sent with each request.
        body: What each request carries, in ASCII; empty for requests without a body.
        bodies: Instead of `body`, Lua that defines `body_of(made)`, the body of a thread's request
            number `made`. It may use `run_id`, which no other run has, and `thread_id`, 0 or 1.
        pause: Milliseconds that each connection waits before it asks again.
        engine_pid: The engine's process, if the server has not started it itself.
    """

    name: str
    pid: int
    url: str
    method: str = "GET"
    expected: int = 200
    tolerated: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    bodies: str = ""
    pause: int = 0
    engine_pid: int | None = None


@dataclass(frozen=True)
class Sample:
    """What one run found.

    Attributes:
        rate: Answers, or hashes, per second.
        p99: Milliseconds within which 99 of 100 were answered; None for hashes.
        cpu: Processor time of one of them.
        refused: The share of answers with the status that is tolerated.
    """

    rate: float
    p99: float | None
    cpu: cpu.Cpu
    refused: float = 0.0


def find_wrk() -> str:
    """The path of wrk.

    Raises:
        BenchError: It is not installed.
    """
    program = shutil.which("wrk")
    if program is None:
        raise BenchError("wrk is not installed: `apt-get install -y wrk` (Debian, Ubuntu) does it.")
    return program


def run(load: Load, connections: int, seconds: int) -> Sample:
    """Make requests of one kind for a number of seconds, as fast as they are answered.

    Args:
        load: What to ask.
        connections: How many requests wait for an answer at any time.
        seconds: How long.

    Raises:
        BenchError: An answer has the wrong status, or is missing.
    """
    with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
        script = Path(folder) / "load.lua"
        script.write_text(_script(load))
        command = [find_wrk(), f"-t{_THREADS}", f"-c{connections}", f"-d{seconds}s"]
        command += ["--timeout", f"{_TIMEOUT}s", "--script", str(script), load.url]
        roots = {load.pid, load.engine_pid or load.pid}
        stop = cpu.metered(roots, find_binary())
        said = _output_of(command, seconds + _PATIENCE)
        used = stop()
    return _sample(load, said, used)


def run_warm(load: Load, connections: int, seconds: int) -> Sample:
    """The same as `run`, on a server that has had a second to get into its stride."""
    run(load, connections, _WARM_UP)
    time.sleep(_PAUSE)
    sample = run(load, connections, seconds)
    time.sleep(_PAUSE)
    return sample


def _script(load: Load) -> str:
    headers = (f'wrk.headers["{name}"] = "{value}"' for name, value in load.headers.items())
    return _SCRIPT.substitute(
        run_id=secrets.token_hex(3),
        method=load.method,
        headers="\n".join(headers),
        # Written as JSON, a string of ASCII is one of Lua.
        body=json.dumps(load.body) if load.body else "nil",
        request=_VARYING.substitute(bodies=load.bodies) if load.bodies else "",
        delay=_WAITING.substitute(milliseconds=load.pause) if load.pause else "",
        expected=load.expected,
        tolerated=load.tolerated,
    )


def _output_of(command: list[str], timeout: int) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=environment()
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"wrk did not end within {timeout} s") from None
    if done.returncode or "found " not in done.stdout:
        raise BenchError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _sample(load: Load, said: str, used: cpu.Cpu) -> Sample:
    found, _, example = said.rpartition("found ")[2].partition("\nexample ")
    requests, microseconds, p99, wrong, refused, non_2xx, lost = map(int, found.split())
    non_2xx -= refused
    if wrong or non_2xx:
        raise BenchError(
            f"{load.name}: {max(wrong, non_2xx)} of {requests} answers were not {load.expected},"
            f" for example: {example.strip()}"
        )
    if lost or not requests:
        raise BenchError(f"{load.name}: {requests} answers, and {lost} requests without one")
    rate = requests / microseconds * 1e6
    return Sample(rate, p99 / 1000, used.each(requests), refused / requests)
