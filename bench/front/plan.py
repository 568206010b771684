"""The measurements of `python -m bench.front`, each in every round."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import plan
from bench.front import clients
from bench.front.clients import HALF_SENT, Latency, SignUps
from bench.support import command, cpu, service
from bench.support.delaying_proxy import delaying_proxy
from bench.support.engine import find_engine, local_engine
from bench.support.load import Load, Sample, run_warm
from bench.support.process import BenchError
from bench.support.service import WORKERS, Service
from bench.support.tables import Round
from bench.support.users import Users, create_users
from flask_pynamodb import DEFAULT_TRANSPORT
from flask_pynamodb.local import Engine

DELAY_MILLISECONDS = 4
READS = "reads"
READS_OF_MANY = "reads of many clients"
WITHOUT_HALF_SENT = "reads without half-sent bodies"
WITH_HALF_SENT = f"reads with {HALF_SENT:,} half-sent bodies"
DIRECT = "reads, engine without a proxy"
PROXIED = "reads, engine behind a proxy"
DELAYED = f"reads, engine behind a proxy that delays {DELAY_MILLISECONDS} ms"
CONNECTIONS = {
    READS: 16,
    READS_OF_MANY: 128,
    WITHOUT_HALF_SENT: 16,
    WITH_HALF_SENT: 16,
    DIRECT: 128,
    PROXIED: 128,
    DELAYED: 128,
}
# Settings by the time that a request may wait for a thread.
QUEUE_TIMES: dict[str, dict[str, str]] = {
    "5 s (default)": {},
    "60 s": {"ROSTER_QUEUE_SECONDS": "60s"},
}
_BODY_TIME = {"ROSTER_BODY_SECONDS": "60s"}


@dataclass(frozen=True)
class Memory:
    """The memory of one worker in MB.

    Attributes:
        resident: All its pages.
        proportional: The same, with shared pages divided among the processes that share them.
    """

    resident: float
    proportional: float


@dataclass(frozen=True)
class FrontRound:
    """The results of one round.

    Attributes:
        samples: The samples of reads.
        probes: The latency of `GET /health/live`, by the name of the reads beside it.
        sign_ups: The responses to simultaneous sign-ups, by the time in the queue.
        memory: The memory of each worker.
    """

    samples: Round
    probes: dict[str, Latency]
    sign_ups: dict[str, SignUps]
    memory: list[Memory]


def measure(folder: Path, *, rounds: int, seconds: int, user_count: int) -> list[FrontRound]:
    """Run all measurements.

    Args:
        folder: An empty folder for data and logs.
        rounds: The number of rounds.
        seconds: The duration of each load.
        user_count: The number of users to sign up first.

    Raises:
        BenchError: The text says why.
    """
    command.log(f"signing up {user_count} users")
    with service.roster(folder / "store") as roster:
        users = create_users(roster, user_count)
    plan_of_rounds = _Plan(folder, users, seconds)
    return [plan_of_rounds.measure_round(number) for number in range(rounds)]


class _Plan:
    """The measurements, each on a fresh copy of the store.

    Args:
        folder: The folder of the store.
        users: The users in the store.
        seconds: The duration of each load.
    """

    def __init__(self, folder: Path, users: Users, seconds: int) -> None:
        self._folder = folder
        self._users = users
        self._seconds = seconds

    def measure_round(self, number: int) -> FrontRound:
        """Run each measurement once."""
        command.log(f"round {number + 1}")
        samples = self._measure_reads()
        sign_ups = {name: self._measure_sign_ups(name) for name in QUEUE_TIMES}
        beside_half_sent, probes = self._measure_half_sent(number)
        far = self._measure_far_database(number)
        return FrontRound(
            {**samples, **beside_half_sent, **far}, probes, sign_ups, self._measure_memory()
        )

    def _measure_reads(self) -> Round:
        with self._service() as roster:
            load = plan.read_load(roster, self._users)
            return {name: self._run(name, load) for name in (READS, READS_OF_MANY)}

    def _measure_sign_ups(self, queue_time: str) -> SignUps:
        with self._service(QUEUE_TIMES[queue_time]) as roster:
            result = clients.sign_up_at_once(roster)
        command.log(f"  sign-ups at once, queue time {queue_time}: {result}")
        return result

    def _measure_half_sent(self, number: int) -> tuple[Round, dict[str, Latency]]:
        samples, probes = {}, {}
        with self._service(_BODY_TIME) as roster:
            load = plan.read_load(roster, self._users)
            for name in _alternate((WITHOUT_HALF_SENT, WITH_HALF_SENT), number):
                with ExitStack() as stack:
                    if name == WITH_HALF_SENT:
                        stack.enter_context(clients.half_sent_bodies(roster))
                    probes[name] = clients.probe_latency(roster)
                    samples[name] = self._run(name, load)
                command.log(f"  {probes[name]}")
        return samples, probes

    def _measure_far_database(self, number: int) -> Round:
        with self._copy() as data, local_engine(data) as engine, ExitStack() as stack:
            loads = {DIRECT: self._engine_load(stack, engine, engine.host)}
            for name, delay in ((PROXIED, 0), (DELAYED, DELAY_MILLISECONDS)):
                log = self._folder / "proxy.log"
                proxy = stack.enter_context(delaying_proxy(engine.host, delay, log))
                load = self._engine_load(stack, engine, proxy.url)
                loads[name] = replace(load, proxy_pid=proxy.pid)
            names = _alternate((DIRECT, PROXIED, DELAYED), number)
            return {name: self._run(name, loads[name]) for name in names}

    def _measure_memory(self) -> list[Memory]:
        with self._service() as roster:
            clients.make_mixed_requests(roster, self._users)
            result = [_memory_of(pid) for pid in _workers(roster)]
        command.log(f"  {result}")
        return result

    def _run(self, name: str, load: Load) -> Sample:
        sample = run_warm(replace(load, name=name), CONNECTIONS[name], self._seconds)
        command.log(f"  {name}: {sample.rate:,.1f}/s")
        return sample

    def _engine_load(self, stack: ExitStack, engine: Engine, endpoint: str) -> Load:
        log = self._folder / "service.log"
        roster = service.roster_on(endpoint, log, transport=DEFAULT_TRANSPORT)
        load = plan.read_load(stack.enter_context(roster), self._users)
        return replace(load, engine_pid=engine.pid)

    @contextmanager
    def _service(self, settings: Mapping[str, str] | None = None) -> Iterator[Service]:
        with self._copy() as data, service.roster(data, settings=settings) as roster:
            yield roster

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        copy = self._folder / "copy"
        shutil.copytree(self._folder / "store", copy)
        yield copy
        shutil.rmtree(copy)


def _alternate(names: tuple[str, ...], number: int) -> tuple[str, ...]:
    """Return the names in the order of the round: every second one is reversed."""
    return names[::-1] if number % 2 else names


def _workers(roster: Service) -> list[int]:
    """Return the process ids of the workers."""
    engine = find_engine().resolve()
    children = cpu.process_tree(roster.pid)[1:]
    workers = [pid for pid in children if cpu.executable_of(pid) != engine]
    if len(workers) != WORKERS:
        raise BenchError(f"{len(workers)} processes look like workers, not {WORKERS}.")
    return workers


def _memory_of(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(kib["Rss"] * 1024 / 1e6, kib["Pss"] * 1024 / 1e6)
