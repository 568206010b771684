"""Ask a service whether a password was in a data breach, without revealing it (k-anonymity).

The protocol is the range search of "Have I Been Pwned": the request has the first 5 of the 40
hexadecimal digits of the password's SHA-1 digest, the response all suffixes with that prefix and
how often each was seen. With padding, its length does not reveal the prefix.
"""

import hashlib
import logging
from ipaddress import ip_address
from urllib.parse import urlsplit

import certifi
import pycurl  # type: ignore[import-untyped]

_log = logging.getLogger("roster.security")
_PREFIX_LENGTH = 5
_DEADLINE_MS = 1000
# A padded response has up to 1000 lines and some; each has less than 60 bytes.
_MAX_BYTES = 256 * 1024


class BreachRange:
    """Looks up passwords by the range search of a URL.

    Args:
        url: The URL up to the prefix of the digest, with or without a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/"
        self._is_loopback = is_loopback(url)

    def __call__(self, password: str) -> bool:
        """Return whether the service knows the password; False where it does not answer.

        An unreachable service must not keep users from setting passwords: the log has a warning,
        and the other rules still apply.
        """
        # The digest is that of the protocol, and protects nothing.
        digest = hashlib.sha1(
            password.encode(errors="surrogatepass"), usedforsecurity=False
        ).hexdigest()
        prefix, suffix = digest[:_PREFIX_LENGTH].upper(), digest[_PREFIX_LENGTH:].upper()
        try:
            lines = self._fetch(prefix).decode("ascii", errors="replace").splitlines()
        except (pycurl.error, BreachRangeError) as error:
            # The text of the error has neither the prefix nor the password.
            _log.warning("the breach service has not answered, the password is accepted: %s", error)
            return False
        return any(_seen(line, suffix) for line in lines)

    def _fetch(self, prefix: str) -> bytes:
        received = bytearray()

        def write(data: bytes) -> int:
            received.extend(data)
            # Any other number than the length makes curl end the transfer.
            return len(data) if len(received) <= _MAX_BYTES else 0

        handle = pycurl.Curl()
        try:
            handle.setopt(pycurl.URL, self._url + prefix)
            handle.setopt(pycurl.HTTPHEADER, ["Add-Padding: true", "Accept: text/plain"])
            handle.setopt(pycurl.USERAGENT, "Roster")
            handle.setopt(pycurl.CAINFO, certifi.where())
            handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
            handle.setopt(pycurl.FOLLOWLOCATION, 0)
            handle.setopt(pycurl.TIMEOUT_MS, _DEADLINE_MS)
            handle.setopt(pycurl.NOSIGNAL, 1)
            handle.setopt(pycurl.WRITEFUNCTION, write)
            if self._is_loopback:
                handle.setopt(pycurl.PROXY, "")
            handle.perform()
            status = handle.getinfo(pycurl.RESPONSE_CODE)
        finally:
            handle.close()
        if status != 200:
            raise BreachRangeError(f"status {status}")
        return bytes(received)


class BreachRangeError(Exception):
    """The service has answered, but not with a list."""


def is_loopback(url: str) -> bool:
    """Return whether the host of a URL is this computer."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seen(line: str, suffix: str) -> bool:
    """Return whether a line has the suffix; lines of padding have a count of 0."""
    found, _, count = line.strip().partition(":")
    return found.upper() == suffix and count.isdigit() and int(count) > 0
