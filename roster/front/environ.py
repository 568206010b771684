"""The WSGI environment of a request (PEP 3333), from the scope of granian's RSGI."""

import sys
from io import BytesIO
from typing import Any

from granian.rsgi import Scope

# Names are repeated with every request; a client cannot fill the cache with names of its own.
_MAX_CACHED_NAMES = 256
_names: dict[str, str | None] = {
    "content-length": "CONTENT_LENGTH",
    "content-type": "CONTENT_TYPE",
    # The body is buffered: it has a length and no framing.
    "transfer-encoding": None,
}

# Fields without which a change would do more than its client has asked for.
_CONDITIONS = {"idempotency-key": "HTTP_IDEMPOTENCY_KEY", "if-match": "HTTP_IF_MATCH"}
# A value that neither of them can have.
_UNREADABLE = "?"


class Rejected(Exception):
    """The request is malformed; the text says why."""


def build(scope: Scope) -> dict[str, Any]:
    """Return the environment of a request, without its body.

    Header fields with an underscore in their name are dropped: WSGI has the same key for
    `X_Forwarded_For` and `X-Forwarded-For`. Several lines of one field become one list
    (RFC 9110, 5.3).

    Raises:
        Rejected: An HTTP/1.1 request has no `Host`, or more than one (RFC 9112, 3.2).
    """
    server, _, port = scope.server.rpartition(":")
    client, _, client_port = scope.client.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _as_wsgi(scope.path),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": "HTTP/1.1" if scope.http_version == "1.1" else "HTTP/1.0",
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "REMOTE_ADDR": client.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    hosts = 0
    for name, value in scope.headers.items():
        try:
            key = _names[name]
        except KeyError:
            key = _key(name)
        if key is None:
            continue
        if key == "HTTP_HOST":
            hosts += 1
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    # granian leaves out fields with a value beyond visible ASCII. A condition must not get lost.
    for name, key in _CONDITIONS.items():
        if key not in environ and name in scope.headers:
            environ[key] = _UNREADABLE
    if hosts != 1 and environ["SERVER_PROTOCOL"] == "HTTP/1.1":
        raise Rejected("A request has exactly one Host header.")
    if scope.authority:
        # RFC 9112, 3.2.2: the absolute form takes precedence over Host.
        environ["HTTP_HOST"] = scope.authority
    return environ


def add_body(environ: dict[str, Any], body: bytes) -> None:
    """Add the complete body to an environment."""
    environ["wsgi.input"] = BytesIO(body)
    if body or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(len(body))


def _key(name: str) -> str | None:
    key = None if "_" in name else f"HTTP_{name.upper().replace('-', '_')}"
    if len(_names) < _MAX_CACHED_NAMES:
        _names[name] = key
    return key


def _as_wsgi(path: str) -> str:
    # WSGI strings have one character for each byte.
    return path if path.isascii() else path.encode(errors="replace").decode("latin-1")
