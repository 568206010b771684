"""The range search for breached passwords, against a real HTTP server."""

import hashlib
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from models import PasswordPolicy
from models.errors import WeakPassword
from roster.breach_range import BreachRange

PASSWORD = "seven lanterns on the pier"
DIGEST = hashlib.sha1(PASSWORD.encode()).hexdigest().upper()
PREFIX, SUFFIX = DIGEST[:5], DIGEST[5:]
PADDING = "0" * 35 + ":0\r\n"


class Server(ThreadingHTTPServer):
    """A service for ranges that gives one answer and keeps the requests."""

    daemon_threads = True

    def __init__(self):
        self.status, self.body, self.location, self.delay = 200, "", None, 0.0
        self.requests = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/range/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(self.server.body.encode())

    def log_message(self, *arguments):
        """Print nothing."""


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class TestBreachRange:
    def test_seen(self, server):
        """A password whose suffix is in the response is rejected with the reason."""
        server.body = f"{PADDING}{SUFFIX}:42\r\n"
        policy = PasswordPolicy(is_known_breach=BreachRange(server.url))

        with pytest.raises(WeakPassword, match="data breaches"):
            policy.validate(PASSWORD)

    def test_not_seen(self, server):
        """A password that is not in the response is accepted."""
        server.body = f"{PADDING}{'A' * 35}:42\r\n"

        PasswordPolicy(is_known_breach=BreachRange(server.url)).validate(PASSWORD)

    def test_request(self, server):
        """The request has five digits of the digest, and asks for padding."""
        BreachRange(server.url)(PASSWORD)

        [(path, headers)] = server.requests
        assert path == f"/range/{PREFIX}"
        assert headers["Add-Padding"] == "true"

    def test_padding(self, server):
        """An entry with a count of 0 is padding."""
        server.body = f"{SUFFIX}:0\r\n"

        assert not BreachRange(server.url)(PASSWORD)

    def test_rejected_before_the_request(self, server):
        """No request is made for a password that another rule rejects."""
        with pytest.raises(WeakPassword, match="repeats"):
            PasswordPolicy(is_known_breach=BreachRange(server.url)).validate("a" * 20)

        assert server.requests == []

    @pytest.mark.parametrize("body", ["", "nonsense", ":", "\ufffd:1", f"{SUFFIX}:x", "<html>"])
    def test_odd_response(self, server, body):
        """A response without the suffix accepts the password, whatever else it has."""
        server.body = body

        assert not BreachRange(server.url)(PASSWORD)

    @pytest.mark.parametrize("fault", ["status", "redirect", "size", "deadline", "unreachable"])
    def test_fails_open(self, server, caplog, fault):
        """A faulty service does not prevent a new password; the log has a warning."""
        server.body, url = f"{SUFFIX}:42\r\n", server.url
        if fault == "status":
            server.status = 503
        elif fault == "redirect":
            server.status, server.location = 302, server.url + "elsewhere"
        elif fault == "size":
            server.body += PADDING * 10_000
        elif fault == "deadline":
            server.delay = 1.5
        else:
            url = "http://127.0.0.1:1/range/"

        assert not BreachRange(url)(PASSWORD)
        assert "has not answered" in caplog.text
        assert PREFIX not in caplog.text
        assert PASSWORD not in caplog.text
        assert len(server.requests) <= 1
