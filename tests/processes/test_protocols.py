"""The protocols that the service speaks on its port."""

import socket

from tests.support.process_harness import HERE, ProcessHarness

IS_COVERED = False
# RFC 9113, 3.4: what a client with prior knowledge of HTTP/2 sends first.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)


class TestHttp2:
    def test_prior_knowledge(self, harness: ProcessHarness):
        """The preface of HTTP/2 is rejected, and the service still responds to HTTP/1.1."""
        service = harness.serve()
        with socket.create_connection((HERE, service.port), timeout=30) as connection:
            connection.sendall(PREFACE)
            reply = connection.recv(65536)

        # A server that speaks HTTP/2 replies with a SETTINGS frame, whose type is the fourth byte.
        assert reply[3:4] != b"\x04"
        assert reply == b"" or reply.startswith(b"HTTP/1.1 400")
        assert service.call("GET", "/health/live").status == 200
