"""Delivery by SMTP: encryption, authentication and failures."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP

import pytest

from roster.config import EmailSettings, SettingError, SmtpSecurity
from roster.email.delivery import DeliveryFailed
from roster.email.file_backend import link_of
from roster.email.smtp_backend import SmtpBackend
from tests.roster.email.conftest import CHANGED, RESET
from tests.support.process_harness import HERE, free_port
from tests.support.smtp_server import PASSWORD, USERNAME, MailServer, texts


@pytest.fixture
def backend_for(settings):
    """Create a backend for a server: `backend_for(server)`, unencrypted by default."""

    def make(server: MailServer, **changes: object) -> SmtpBackend:
        plain = {"smtp_host": HERE, "smtp_port": server.port, "smtp_security": SmtpSecurity.NONE}
        return SmtpBackend(replace(settings, **{**plain, **changes}), timeout=5)

    return make


@contextmanager
def silent_server() -> Iterator[MailServer]:
    """Run a server that accepts connections and never responds."""
    with socket.create_server((HERE, 0)) as server:
        yield MailServer(port=server.getsockname()[1])


class TestDeliver:
    def test_email_arrives(self, renderer, serve, backend_for):
        """The server gets the email as it was rendered, for its one recipient."""
        server = serve()
        message = renderer.compose(RESET)
        backend_for(server).deliver(message)

        [envelope] = server.envelopes
        received = message_from_bytes(envelope.content, type(message), policy=SMTP)
        assert (envelope.mail_from, envelope.rcpt_tos) == (
            "accounts@example.org", ["jane@example.com"]
        )  # fmt: skip
        assert link_of(received) == link_of(message)
        assert received["Message-ID"] == message["Message-ID"]

    def test_address_outside_ascii(self, renderer, serve, backend_for):
        """RFC 6531: an address outside ASCII reaches a server with SMTPUTF8."""
        server = serve()
        backend_for(server).deliver(renderer.compose(replace(CHANGED, to="jörg@bücher.example")))

        assert server.envelopes[0].rcpt_tos == ["jörg@bücher.example"]
        assert "To: jörg@bücher.example" in texts(server.envelopes)[0]

    def test_address_outside_ascii_without_smtputf8(self, renderer, serve, backend_for):
        """A server without SMTPUTF8 gets no email, instead of one for another address."""
        server = serve(knows_utf8=False)
        with pytest.raises(DeliveryFailed) as failure:
            backend_for(server).deliver(renderer.compose(replace(CHANGED, to="jörg@example.com")))

        assert not failure.value.is_temporary
        assert server.envelopes == []

    def test_domain_outside_ascii_without_smtputf8(self, renderer, serve, backend_for):
        """A domain outside ASCII is sent in its ASCII form."""
        server = serve(knows_utf8=False)
        backend_for(server).deliver(renderer.compose(replace(CHANGED, to="jane@bücher.example")))

        assert server.envelopes[0].rcpt_tos == ["jane@xn--bcher-kva.example"]

    def test_failure_after_acceptance(self, renderer, serve, backend_for):
        """An accepted email counts as sent, regardless of later responses."""
        server = serve(goodbye="421 I am tired")
        backend_for(server).deliver(renderer.compose(CHANGED))

        assert len(server.envelopes) == 1


class TestProtection:
    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_encrypted(self, renderer, serve, backend_for, trusted, tmp_path, security):
        """The connection is encrypted, and the server's certificate is verified."""
        server = serve(
            tls=trusted.server_context(tmp_path, HERE),
            from_the_start=security is SmtpSecurity.TLS,
        )
        backend_for(server, smtp_security=security).deliver(renderer.compose(RESET))

        assert server.was_protected == [True]

    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_untrusted_certificate(
        self, renderer, serve, backend_for, authority, tmp_path, security
    ):
        """A server with an untrusted certificate gets no email, and there is no retry."""
        server = serve(
            tls=authority.server_context(tmp_path, HERE),
            from_the_start=security is SmtpSecurity.TLS,
        )
        with pytest.raises(DeliveryFailed, match="certificate verify failed") as failure:
            backend_for(server, smtp_security=security).deliver(renderer.compose(RESET))

        assert not failure.value.is_temporary
        assert server.envelopes == []

    def test_certificate_for_another_host(self, renderer, serve, backend_for, trusted, tmp_path):
        """The certificate must be for the configured host."""
        server = serve(tls=trusted.server_context(tmp_path, "127.0.0.2"))
        with pytest.raises(DeliveryFailed, match="certificate verify failed"):
            backend_for(server, smtp_security=SmtpSecurity.STARTTLS).deliver(
                renderer.compose(RESET)
            )

        assert server.envelopes == []

    def test_starttls_is_missing(self, renderer, serve, backend_for):
        """A server without STARTTLS, or with a stripped offer of it, gets no email."""
        server = serve()
        with pytest.raises(DeliveryFailed) as failure:
            backend_for(server, smtp_security=SmtpSecurity.STARTTLS).deliver(
                renderer.compose(RESET)
            )

        assert not failure.value.is_temporary
        assert server.envelopes == []

    # The test server recognizes TLS only after STARTTLS.
    @pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_password(self, renderer, serve, backend_for, trusted, tmp_path, security):
        """The password is sent to a server that requires it, after encryption."""
        server = serve(
            tls=trusted.server_context(tmp_path, HERE),
            from_the_start=security is SmtpSecurity.TLS,
            asks_for_password=True,
        )
        credentials = {"smtp_username": USERNAME, "smtp_password": PASSWORD}
        backend_for(server, smtp_security=security, **credentials).deliver(renderer.compose(RESET))

        assert len(server.envelopes) == 1

    def test_wrong_password(self, renderer, serve, backend_for, trusted, tmp_path):
        """After a rejected password there is no retry; the password is not in the error."""
        server = serve(tls=trusted.server_context(tmp_path, HERE), asks_for_password=True)
        wrong = {"smtp_username": USERNAME, "smtp_password": "hunter2-hunter2"}
        with pytest.raises(DeliveryFailed, match="535") as failure:
            backend_for(server, smtp_security=SmtpSecurity.STARTTLS, **wrong).deliver(
                renderer.compose(RESET)
            )

        assert not failure.value.is_temporary
        assert "hunter2" not in str(failure.value)

    def test_password_outside_ascii(self, renderer, serve, backend_for, trusted, tmp_path):
        """A password outside ASCII, which SMTP cannot encode, fails as other rejections do."""
        server = serve(tls=trusted.server_context(tmp_path, HERE), asks_for_password=True)
        non_ascii = {"smtp_username": USERNAME, "smtp_password": "hünter"}
        with pytest.raises(DeliveryFailed) as failure:
            backend_for(server, smtp_security=SmtpSecurity.STARTTLS, **non_ascii).deliver(
                renderer.compose(RESET)
            )

        assert not failure.value.is_temporary
        assert "hünter" not in str(failure.value)

    def test_password_without_tls(self):
        """ASVS 12.2.1, 13.2.1: settings with a password and without TLS are rejected."""
        with pytest.raises(SettingError, match="ROSTER_SMTP_SECURITY"):
            EmailSettings(
                smtp_host=HERE,
                smtp_username=USERNAME,
                smtp_password=PASSWORD,
                smtp_security=SmtpSecurity.NONE,
            )


class TestFailures:
    @pytest.mark.parametrize(
        "answer, reason, is_temporary",
        [
            ("451 4.7.1 Greylisted, try again", "451 4.7.1", True),
            ("452 Out of room", "452", True),
            ("450 4.2.1 <rcpt>", "450 4.2.1", True),
            ("421 4.3.2 Shutting down", "421 4.3.2", True),
            ("554 5.7.1 Looks like spam", "554 5.7.1", False),
            ("550 5.1.1 <rcpt>", "550 5.1.1", False),
            ("552 Too large", "552", False),
        ],
    )
    def test_response(self, renderer, serve, backend_for, answer, reason, is_temporary):
        """RFC 5321, 4.2.1: a 4yz response is temporary, a 5yz response is permanent."""
        server = serve(answers=[answer])
        with pytest.raises(DeliveryFailed) as failure:
            backend_for(server).deliver(renderer.compose(RESET))

        assert str(failure.value) == f"the mail server replied {reason}"
        assert failure.value.is_temporary is is_temporary
        assert server.envelopes == []

    def test_reason_has_no_address(self, renderer, serve, backend_for):
        """ASVS 16.2.5: servers repeat the address in their responses; the error does not."""
        server = serve(answers=["550 5.1.1 <rcpt>"])
        with pytest.raises(DeliveryFailed) as failure:
            backend_for(server).deliver(renderer.compose(RESET))

        assert "jane" not in repr(failure.value)
        assert failure.value.__suppress_context__

    def test_timeout(self, renderer, settings):
        """A server that never responds is abandoned after the timeout."""
        with silent_server() as server:
            smtp = SmtpBackend(
                replace(
                    settings,
                    smtp_host=HERE,
                    smtp_port=server.port,
                    smtp_security=SmtpSecurity.NONE,
                ),
                timeout=0.2,
            )
            with pytest.raises(DeliveryFailed) as failure:
                smtp.deliver(renderer.compose(RESET))

        assert failure.value.is_temporary

    @pytest.mark.parametrize("security", SmtpSecurity)
    def test_connection_refused(self, renderer, backend_for, security):
        """A refused connection is a temporary failure."""
        missing_server = MailServer(port=free_port())
        with pytest.raises(DeliveryFailed, match="refused") as failure:
            backend_for(missing_server, smtp_security=security).deliver(renderer.compose(RESET))

        assert failure.value.is_temporary

    def test_unknown_host(self, renderer, backend_for):
        """An unknown host name is a temporary failure."""
        missing_server = MailServer(port=25)
        with pytest.raises(DeliveryFailed) as failure:
            backend_for(missing_server, smtp_host="mail.invalid").deliver(renderer.compose(RESET))

        assert failure.value.is_temporary

    def test_plain_server_where_tls_is_expected(self, renderer, serve, backend_for):
        """A server that responds to TLS in plain text gets no email."""
        server = serve()
        with pytest.raises(DeliveryFailed):
            backend_for(server, smtp_security=SmtpSecurity.TLS).deliver(renderer.compose(RESET))

        assert server.envelopes == []
