"""The email queue: requests neither wait for delivery nor see its failures."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from models import Email, EmailKind, NoMailer
from roster.config import EmailSettings
from roster.email import build_mailer
from roster.email.delivery import DeliveryFailed
from roster.email.queue import EmailQueue
from tests.roster.email.conftest import CHANGED, RESET, TOKEN
from tests.support.process_harness import HERE, wait_for
from tests.support.smtp_server import texts

TEMPORARY = DeliveryFailed("the mail server answered 451", is_temporary=True)
PERMANENT = DeliveryFailed("the mail server answered 550", is_temporary=False)
SECONDS = 10.0


class RecordingBackend:
    """A backend that records each email, after raising the given errors."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.attempts: list[str] = []
        self.delivered: list[str] = []
        self.may_continue = threading.Event()
        self.may_continue.set()
        self.masks: list[set[int]] = []
        self.threads: list[str] = []

    def deliver(self, message):
        self.attempts.append(message["Message-ID"])
        self.threads.append(threading.current_thread().name)
        self.masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        assert self.may_continue.wait(SECONDS)
        if self.errors:
            raise self.errors.pop(0)
        self.delivered.append(message["Subject"])


@pytest.fixture
def make_queue(renderer):
    """Create a queue that delivers to a backend."""

    def make(backend, **options):
        return EmailQueue(renderer.compose, backend.deliver, **{"delays": (0, 0), **options})

    return make


class TestSend:
    def test_order(self, make_queue):
        """Emails are delivered in the order of their creation."""
        backend = RecordingBackend()
        queue = make_queue(backend)
        queue.send(RESET)
        queue.send(CHANGED)

        assert queue.drain(SECONDS)
        assert backend.delivered == ["Reset your password", "Your password has changed"]

    def test_does_not_wait(self, make_queue):
        """The caller does not wait for a slow SMTP server."""
        backend = RecordingBackend()
        backend.may_continue.clear()
        queue = make_queue(backend)
        queue.send(RESET)
        queue.send(CHANGED)

        assert backend.delivered == []
        backend.may_continue.set()
        assert queue.drain(SECONDS)

    def test_one_thread(self, make_queue):
        """One thread, started by the first email, delivers all emails of a process."""
        before = threading.active_count()
        backend = RecordingBackend()
        queue = make_queue(backend)
        assert threading.active_count() == before
        for _ in range(20):
            queue.send(CHANGED)

        assert queue.drain(SECONDS)
        assert len(backend.delivered) == 20
        assert threading.active_count() == before + 1
        assert set(backend.threads) == {"email"}

    def test_signals_are_blocked(self, make_queue):
        """The thread blocks the signals that stop the process."""
        backend = RecordingBackend()
        queue = make_queue(backend)
        queue.send(CHANGED)
        queue.drain(SECONDS)

        assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= backend.masks[0]

    def test_too_many(self, make_queue, caplog):
        """ASVS 15.2.2: the length of the queue is limited; the emails in it are still delivered."""
        backend = RecordingBackend()
        backend.may_continue.clear()
        queue = make_queue(backend, max_queued=2)
        queue.send(RESET)
        wait_for(lambda: backend.attempts, "the first email is in delivery")
        for _ in range(3):
            queue.send(CHANGED)

        backend.may_continue.set()
        assert queue.drain(SECONDS)
        assert len(backend.delivered) == 3
        assert caplog.messages == ["email password-changed dropped: 2 are queued"]

    def test_reserve(self, make_queue, caplog):
        """M4: requested emails, which any caller can cause, leave room for security notices."""
        backend = RecordingBackend()
        backend.may_continue.clear()
        queue = make_queue(backend, max_queued=10)
        queue.send(CHANGED)
        wait_for(lambda: backend.attempts, "the first email is in delivery")
        for _ in range(20):
            queue.send(RESET)
        for _ in range(5):
            queue.send(CHANGED)

        backend.may_continue.set()
        assert queue.drain(SECONDS)
        assert backend.delivered.count("Reset your password") == 8
        assert backend.delivered.count("Your password has changed") == 3

    def test_decoy(self, renderer):
        """L3: an email without an account costs the same work: it is composed, then dropped."""
        backend, composed = RecordingBackend(), []

        def compose(email):
            composed.append(email)
            return renderer.compose(email)

        queue = EmailQueue(compose, backend.deliver, delays=())
        queue.send(replace(RESET, is_decoy=True))
        assert queue.drain(SECONDS)

        assert len(composed) == 1
        assert backend.attempts == []

    def test_spread(self, make_queue):
        """L3: an email is not composed right after the response, but when the queue is drained."""
        backend = RecordingBackend()
        queue = make_queue(backend, spread=3600 * 24)
        queue.send(RESET)

        assert backend.attempts == []
        assert queue.drain(SECONDS)
        assert backend.delivered == ["Reset your password"]


class TestFailures:
    def test_temporary(self, make_queue):
        """After a temporary failure the same email is retried."""
        backend = RecordingBackend(TEMPORARY, TEMPORARY)
        queue = make_queue(backend)
        queue.send(RESET)
        wait_for(lambda: backend.delivered, "the email is delivered")

        assert backend.delivered == ["Reset your password"]
        assert len(backend.attempts) == 3
        assert len(set(backend.attempts)) == 1

    def test_last_retry_fails(self, make_queue, caplog):
        """After the last retry an email is dropped, and the next one is delivered."""
        backend = RecordingBackend(TEMPORARY, TEMPORARY, TEMPORARY)
        queue = make_queue(backend)
        queue.send(RESET)
        wait_for(lambda: len(backend.attempts) == 3, "the last attempt")
        queue.send(CHANGED)

        assert queue.drain(SECONDS)
        assert backend.delivered == ["Your password has changed"]
        assert caplog.messages == [
            "email reset-password postponed: the mail server answered 451",
            "email reset-password postponed: the mail server answered 451",
            "email reset-password not sent: the mail server answered 451",
        ]

    def test_permanent(self, make_queue, caplog):
        """After a permanent failure there is no retry."""
        backend = RecordingBackend(PERMANENT)
        queue = make_queue(backend)
        queue.send(RESET)
        queue.send(CHANGED)

        assert queue.drain(SECONDS)
        assert len(backend.attempts) == 2
        assert caplog.messages == ["email reset-password not sent: the mail server answered 550"]

    def test_others_are_not_delayed(self, make_queue):
        """An email that waits for a retry does not delay others."""
        backend = RecordingBackend(TEMPORARY)
        queue = make_queue(backend, delays=(60,))
        queue.send(RESET)
        queue.send(CHANGED)
        wait_for(lambda: backend.delivered, "the second email is delivered")

        assert backend.delivered == ["Your password has changed"]
        assert queue.drain(SECONDS)

    def test_unexpected(self, make_queue, caplog):
        """An unexpected exception does not end the thread."""
        backend = RecordingBackend(RuntimeError(f"{RESET.to} {TOKEN}"))
        queue = make_queue(backend)
        queue.send(RESET)
        queue.send(CHANGED)

        assert queue.drain(SECONDS)
        assert backend.delivered == ["Your password has changed"]
        assert caplog.messages == ["email reset-password not sent: RuntimeError"]

    def test_cannot_be_rendered(self, make_queue, caplog):
        """An email that cannot be rendered is logged, without its address."""
        queue = make_queue(RecordingBackend())
        queue.send(Email(EmailKind.PASSWORD_CHANGED, "jane@example.com\r\nBcc: eve", "jane"))

        assert queue.drain(SECONDS)
        assert caplog.messages == ["email password-changed not sent: ValueError"]

    @pytest.mark.parametrize(
        "error", [TEMPORARY, PERMANENT, OSError("jane@example.com"), ValueError(TOKEN)]
    )
    def test_log_keeps_secrets(self, make_queue, caplog, error):
        """ASVS 16.2.5: no log line contains the token, the address or the name."""
        caplog.set_level(logging.DEBUG)
        queue = make_queue(RecordingBackend(error), delays=())
        queue.send(RESET)
        queue.drain(SECONDS)

        assert len(caplog.messages) == 1
        assert TOKEN not in caplog.text
        assert "jane" not in caplog.text


class TestDrain:
    def test_nothing_waits(self, make_queue):
        """Draining an empty queue returns immediately."""
        assert make_queue(RecordingBackend()).drain(0)

    def test_last_retry(self, make_queue, caplog):
        """A waiting retry runs immediately, and only once."""
        backend = RecordingBackend(TEMPORARY)
        queue = make_queue(backend, delays=(60, 60))
        queue.send(RESET)
        queue.send(CHANGED)
        wait_for(lambda: backend.delivered, "the second email is delivered and the first one waits")
        backend.errors = [TEMPORARY]

        assert queue.drain(SECONDS)
        assert len(backend.attempts) == 3
        assert caplog.messages[-1] == "email reset-password not sent: the process ends"

    def test_delivery_in_progress(self, make_queue):
        """An email in delivery when the process starts to end gets one more retry."""
        backend = RecordingBackend(TEMPORARY)
        backend.may_continue.clear()
        queue = make_queue(backend, delays=(60,))
        queue.send(RESET)
        wait_for(lambda: backend.attempts, "the email is in delivery")
        drain = threading.Thread(target=queue.drain, args=(SECONDS,))
        drain.start()
        wait_for(lambda: queue._is_closing, "the queue is closing")
        backend.may_continue.set()
        drain.join()

        assert backend.delivered == ["Reset your password"]

    def test_timeout(self, make_queue):
        """A slow SMTP server does not delay the end of the process beyond the limit."""
        backend = RecordingBackend()
        backend.may_continue.clear()
        queue = make_queue(backend)
        queue.send(RESET)
        start = time.monotonic()

        assert not queue.drain(0.2)
        assert time.monotonic() - start < SECONDS / 2
        backend.may_continue.set()
        assert queue.drain(SECONDS)

    def test_continues_afterwards(self, make_queue):
        """After a drain, emails are delivered and retried as before."""
        backend = RecordingBackend()
        queue = make_queue(backend)
        queue.send(CHANGED)
        queue.drain(SECONDS)
        backend.errors = [TEMPORARY]
        queue.send(RESET)
        wait_for(lambda: len(backend.delivered) == 2, "the second email is delivered")

        assert len(backend.attempts) == 3


PROGRAM = """
import multiprocessing, sys, time
from pathlib import Path
from roster.config import EmailSettings
from roster.email.render import EmailRenderer
from roster.email.file_backend import FileBackend
from roster.email.queue import EmailQueue
from models import Email, EmailKind

folder = FileBackend(Path(sys.argv[1]))

def deliver(message):
    time.sleep(0.3)
    folder.deliver(message)

make_queue = EmailQueue(EmailRenderer(EmailSettings()).compose, deliver)

def send():
    make_queue.send(Email(EmailKind.PASSWORD_CHANGED, "jane@example.com", "jane"))

if sys.argv[2] == "itself":
    send()
else:
    worker = multiprocessing.get_context("fork").Process(target=send)
    worker.start()
    worker.join()
"""


class TestProcesses:
    @pytest.mark.parametrize("process", ["itself", "worker"])
    def test_end(self, tmp_path, process):
        """A process, a command or a worker, delivers its emails before it ends."""
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, tmp_path / "mail", process],
            capture_output=True,
            text=True,
            timeout=60,
        )

        assert (ended.returncode, ended.stderr) == (0, "")
        assert len(list((tmp_path / "mail").iterdir())) == 1

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    def test_fork(self, make_queue):
        """A forked process has its own thread, and does not deliver the parent's emails."""
        backend = RecordingBackend()
        backend.may_continue.clear()
        queue = make_queue(backend)
        queue.send(RESET)
        wait_for(lambda: backend.attempts, "the parent's email is in delivery")
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                backend.may_continue = threading.Event()
                backend.may_continue.set()
                queue.send(CHANGED)
                queue.drain(SECONDS)
                os.write(writer, "; ".join(backend.delivered).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            delivered_by_child = pipe.read()
        os.waitpid(child, 0)
        backend.may_continue.set()

        assert delivered_by_child == "Your password has changed"
        assert queue.drain(SECONDS)
        assert backend.delivered == ["Reset your password"]


class TestBuildMailer:
    def test_nothing_is_configured(self):
        """Without an SMTP server and a folder, no email can be sent."""
        mailer = build_mailer(EmailSettings())

        assert isinstance(mailer, NoMailer)
        assert not mailer.is_configured

    def test_folder(self, tmp_path):
        """With a folder, emails are written to it."""
        mailer = build_mailer(EmailSettings(folder=tmp_path))
        mailer.send(CHANGED)

        assert mailer.is_configured
        assert mailer.drain(SECONDS)
        assert len(list(tmp_path.iterdir())) == 1

    def test_server(self, serve, trusted, tmp_path):
        """With an SMTP server, emails are sent to it, and no folder is used."""
        server = serve(tls=trusted.server_context(tmp_path, HERE))
        mailer = build_mailer(
            EmailSettings(smtp_host=HERE, smtp_port=server.port, folder=tmp_path / "mail")
        )
        mailer.send(RESET)

        assert mailer.is_configured
        assert mailer.drain(SECONDS)
        assert "Subject: Reset your password" in texts(server.envelopes)[0]
        assert not (tmp_path / "mail").exists()
