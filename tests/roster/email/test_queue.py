"""Mails that wait for their turn: no request waits with them, and no failure reaches it."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from models import Email, EmailKind, NoMailer
from roster.config import EmailSettings
from roster.email import build_mailer
from roster.email.delivery import DeliveryFailed
from roster.email.queue import EmailQueue
from tests.roster.email.conftest import CHANGED, RESET, TOKEN
from tests.support.process_harness import HERE, wait_for
from tests.support.smtp_server import texts

LATER = DeliveryFailed("the mail server answered 451", may_pass=True)
NEVER = DeliveryFailed("the mail server answered 550", may_pass=False)
SECONDS = 10.0


class Postman:
    """Where mails end up: takes each, or does what it was told to do first."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.attempts: list[str] = []
        self.taken: list[str] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.masks: list[set[int]] = []
        self.threads: list[str] = []

    def deliver(self, message):
        self.attempts.append(message["Message-ID"])
        self.threads.append(threading.current_thread().name)
        self.masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        assert self.may_go_on.wait(SECONDS)
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append(message["Subject"])


@pytest.fixture
def outbox(composer):
    """Makes an outbox whose mails end up with a postman."""

    def make(postman, **options):
        return EmailQueue(composer.compose, postman.deliver, **{"delays": (0, 0), **options})

    return make


class TestSend:
    def test_mails_go_in_order(self, outbox):
        """What was sent first goes first."""
        postman = Postman()
        box = outbox(postman)
        box.send(RESET)
        box.send(CHANGED)

        assert box.drain(SECONDS)
        assert postman.taken == ["Reset your password", "Your password has changed"]

    def test_does_not_wait(self, outbox):
        """The caller goes on while the mail server takes its time."""
        postman = Postman()
        postman.may_go_on.clear()
        box = outbox(postman)
        box.send(RESET)
        box.send(CHANGED)

        assert postman.taken == []
        postman.may_go_on.set()
        assert box.drain(SECONDS)

    def test_one_thread(self, outbox):
        """All mails of a process are taken by one thread, which is there from the first one on."""
        before = threading.active_count()
        postman = Postman()
        box = outbox(postman)
        assert threading.active_count() == before
        for _ in range(20):
            box.send(CHANGED)

        assert box.drain(SECONDS)
        assert len(postman.taken) == 20
        assert threading.active_count() == before + 1
        assert set(postman.threads) == {"mail"}

    def test_signals_are_for_others(self, outbox):
        """The thread takes no signal that is meant to stop the process."""
        postman = Postman()
        box = outbox(postman)
        box.send(CHANGED)
        box.drain(SECONDS)

        assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= postman.masks[0]

    def test_too_many(self, outbox, caplog):
        """ASVS 15.2.2: mails that nobody takes do not fill the memory; the rest still go."""
        postman = Postman()
        postman.may_go_on.clear()
        box = outbox(postman, room=2)
        box.send(RESET)
        wait_for(lambda: postman.attempts, "the first mail is on its way")
        for _ in range(3):
            box.send(CHANGED)

        postman.may_go_on.set()
        assert box.drain(SECONDS)
        assert len(postman.taken) == 3
        assert caplog.messages == ["mail password-changed is dropped: 2 wait already"]


class TestTroubles:
    def test_passes(self, outbox):
        """What may pass is tried again, as the same mail."""
        postman = Postman(LATER, LATER)
        box = outbox(postman)
        box.send(RESET)
        wait_for(lambda: postman.taken, "the mail is taken")

        assert postman.taken == ["Reset your password"]
        assert len(postman.attempts) == 3
        assert len(set(postman.attempts)) == 1

    def test_does_not_pass(self, outbox, caplog):
        """What does not pass is given up, and the next mail goes."""
        postman = Postman(LATER, LATER, LATER)
        box = outbox(postman)
        box.send(RESET)
        wait_for(lambda: len(postman.attempts) == 3, "the last try")
        box.send(CHANGED)

        assert box.drain(SECONDS)
        assert postman.taken == ["Your password has changed"]
        assert caplog.messages == [
            "mail reset-password has to wait: the mail server answered 451",
            "mail reset-password has to wait: the mail server answered 451",
            "mail reset-password is not sent: the mail server answered 451",
        ]

    def test_is_final(self, outbox, caplog):
        """What was refused for good is not tried again."""
        postman = Postman(NEVER)
        box = outbox(postman)
        box.send(RESET)
        box.send(CHANGED)

        assert box.drain(SECONDS)
        assert len(postman.attempts) == 2
        assert caplog.messages == ["mail reset-password is not sent: the mail server answered 550"]

    def test_others_do_not_wait_with_it(self, outbox):
        """A mail that has to wait lets the others pass."""
        postman = Postman(LATER)
        box = outbox(postman, delays=(60,))
        box.send(RESET)
        box.send(CHANGED)
        wait_for(lambda: postman.taken, "the second mail is taken")

        assert postman.taken == ["Your password has changed"]
        assert box.drain(SECONDS)

    def test_nobody_foresaw_it(self, outbox, caplog):
        """Whatever goes wrong, the thread lives on."""
        postman = Postman(RuntimeError(f"{RESET.to} {TOKEN}"))
        box = outbox(postman)
        box.send(RESET)
        box.send(CHANGED)

        assert box.drain(SECONDS)
        assert postman.taken == ["Your password has changed"]
        assert caplog.messages == ["mail reset-password is not sent: RuntimeError"]

    def test_cannot_be_written(self, outbox, caplog):
        """A mail that cannot be composed is told of, without its address."""
        box = outbox(Postman())
        box.send(Email(EmailKind.PASSWORD_CHANGED, "jane@example.com\r\nBcc: eve", "jane"))

        assert box.drain(SECONDS)
        assert caplog.messages == ["mail password-changed is not sent: ValueError"]

    @pytest.mark.parametrize(
        "trouble", [LATER, NEVER, OSError("jane@example.com"), ValueError(TOKEN)]
    )
    def test_log_keeps_secrets(self, outbox, caplog, trouble):
        """ASVS 16.2.5: no line of the log has the token, the address or the name in it."""
        caplog.set_level(logging.DEBUG)
        box = outbox(Postman(trouble), delays=())
        box.send(RESET)
        box.drain(SECONDS)

        assert len(caplog.messages) == 1
        assert TOKEN not in caplog.text
        assert "jane" not in caplog.text


class TestDrain:
    def test_nothing_waits(self, outbox):
        """There is nothing to wait for where nothing was sent."""
        assert outbox(Postman()).drain(0)

    def test_last_try(self, outbox, caplog):
        """What waits for another try gets it at once, and only one."""
        postman = Postman(LATER)
        box = outbox(postman, delays=(60, 60))
        box.send(RESET)
        box.send(CHANGED)
        wait_for(lambda: postman.taken, "the second mail is taken and the first one waits")
        postman.troubles = [LATER]

        assert box.drain(SECONDS)
        assert len(postman.attempts) == 3
        assert caplog.messages[-1] == "mail reset-password is not sent: the process ends"

    def test_a_try_that_has_begun_before(self, outbox):
        """A mail that is on its way when the process begins to end gets its last try after that."""
        postman = Postman(LATER)
        postman.may_go_on.clear()
        box = outbox(postman, delays=(60,))
        box.send(RESET)
        wait_for(lambda: postman.attempts, "the mail is on its way")
        drain = threading.Thread(target=box.drain, args=(SECONDS,))
        drain.start()
        wait_for(lambda: box._is_closing, "the process begins to end")
        postman.may_go_on.set()
        drain.join()

        assert postman.taken == ["Reset your password"]

    def test_no_longer_than_allowed(self, outbox):
        """A mail server that takes its time does not keep the process from ending."""
        postman = Postman()
        postman.may_go_on.clear()
        box = outbox(postman)
        box.send(RESET)
        begun = time.monotonic()

        assert not box.drain(0.2)
        assert time.monotonic() - begun < SECONDS / 2
        postman.may_go_on.set()
        assert box.drain(SECONDS)

    def test_goes_on_afterwards(self, outbox):
        """After a drain mails are sent and tried again as before."""
        postman = Postman()
        box = outbox(postman)
        box.send(CHANGED)
        box.drain(SECONDS)
        postman.troubles = [LATER]
        box.send(RESET)
        wait_for(lambda: len(postman.taken) == 2, "the second mail is taken")

        assert len(postman.attempts) == 3


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

outbox = EmailQueue(EmailRenderer(EmailSettings()).compose, deliver)

def send():
    outbox.send(Email(EmailKind.PASSWORD_CHANGED, "jane@example.com", "jane"))

if sys.argv[2] == "itself":
    send()
else:
    worker = multiprocessing.get_context("fork").Process(target=send)
    worker.start()
    worker.join()
"""


class TestProcesses:
    @pytest.mark.parametrize("who", ["itself", "worker"])
    def test_end(self, tmp_path, who):
        """A process that ends, a command or a worker, has sent its mails before."""
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, tmp_path / "mail", who],
            capture_output=True,
            text=True,
            timeout=60,
        )

        assert (ended.returncode, ended.stderr) == (0, "")
        assert len(list((tmp_path / "mail").iterdir())) == 1

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    def test_fork(self, outbox):
        """A forked process has a thread of its own, and sends nothing that its parent sends."""
        postman = Postman()
        postman.may_go_on.clear()
        box = outbox(postman)
        box.send(RESET)
        wait_for(lambda: postman.attempts, "the parent's mail is on its way")
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                postman.may_go_on = threading.Event()
                postman.may_go_on.set()
                box.send(CHANGED)
                box.drain(SECONDS)
                os.write(writer, "; ".join(postman.taken).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            taken_by_child = told.read()
        os.waitpid(child, 0)
        postman.may_go_on.set()

        assert taken_by_child == "Your password has changed"
        assert box.drain(SECONDS)
        assert postman.taken == ["Reset your password"]


class TestBuildMailer:
    def test_nothing_is_configured(self):
        """Without a server and without a folder there is no way to send mails."""
        mailer = build_mailer(EmailSettings())

        assert isinstance(mailer, NoMailer)
        assert not mailer.is_configured

    def test_folder(self, tmp_path):
        """With a folder mails go there."""
        mailer = build_mailer(EmailSettings(folder=tmp_path))
        mailer.send(CHANGED)

        assert mailer.is_configured
        assert mailer.drain(SECONDS)
        assert len(list(tmp_path.iterdir())) == 1

    def test_server(self, serve, believed, tmp_path):
        """With a server mails go there, and to no folder."""
        server = serve(tls=believed.server_context(tmp_path, HERE))
        mailer = build_mailer(
            EmailSettings(smtp_host=HERE, smtp_port=server.port, folder=tmp_path / "mail")
        )
        mailer.send(RESET)

        assert mailer.is_configured
        assert mailer.drain(SECONDS)
        assert "Subject: Reset your password" in texts(server.envelopes)[0]
        assert not (tmp_path / "mail").exists()
