"""Calls from pages on other origins in a browser; `make test-browser` installs it."""

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.process_harness import DEMO_PASSWORD, ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")

PAGE = b"<!doctype html><title>An app</title>"


class Page(BaseHTTPRequestHandler):
    """Serves an empty page at every path."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *arguments: Any) -> None:
        """Write no log."""


@contextlib.contextmanager
def page_server() -> Iterator[str]:
    """Serve a page on an origin of its own; return the origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Call the API from a listed origin and from another one; return the observations."""
    with (
        contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("cors"))) as stage,
        page_server() as listed,
        page_server() as unlisted,
    ):
        service = stage.serve(ROSTER_CORS_ORIGINS=listed)
        base = f"http://127.0.0.1:{service.port}"
        driver = subprocess.run(
            ["node", HERE / "cors.mjs", base, f"{listed}/", f"{unlisted}/", DEMO_PASSWORD],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert driver.returncode == 0, driver.stderr
        token = service.token_of("john")
        users = service.call("GET", "/v1/users?username=mallory", token=token).body["items"]
        yield {**json.loads(driver.stdout), "mallory": users}


class TestListedOrigin:
    def test_signs_in(self, observed):
        """A page can send JSON, which needs a preflight, and read the response."""
        assert observed["signIn"]["status"] == 201
        assert observed["signIn"]["body"]["user"]["username"] == "jane"

    def test_reads_with_a_token(self, observed):
        """A page can send a token, and read the exposed header fields."""
        assert observed["read"]["status"] == 200
        assert {"etag", "x-request-id"} <= observed["read"]["headers"].keys()

    def test_updates_with_a_precondition(self, observed):
        """A page can send PATCH with If-Match, and read the new ETag."""
        assert observed["update"]["status"] == 200
        assert observed["update"]["body"]["full_name"] == "Jane from afar"
        assert observed["update"]["headers"]["etag"] != observed["read"]["headers"]["etag"]

    def test_reads_problems(self, observed):
        """A page can read an error and its WWW-Authenticate."""
        problem = observed["unauthenticated"]

        assert (problem["status"], problem["body"]["type"]) == (401, "/problems/unauthenticated")
        assert problem["headers"]["www-authenticate"].startswith("Bearer")

    def test_no_credentials(self, observed):
        """The browser refuses a request with cookies, even from a listed origin."""
        assert observed["withCredentials"] == {"error": "TypeError"}


class TestOtherOrigin:
    def test_reads_nothing(self, observed):
        """A page on another origin cannot read, even with a token."""
        assert observed["otherRead"] == {"error": "TypeError"}

    def test_changes_nothing(self, observed):
        """A sign-up from another origin fails, with a preflight and without one."""
        assert observed["otherSignUp"] == {"error": "TypeError"}
        assert observed["otherPlain"] == {"error": "TypeError"}
        assert observed["mallory"] == []
