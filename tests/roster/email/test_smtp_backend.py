"""Mails on their way to a mail server: how they are protected, and what can go wrong."""

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
def reach(settings):
    """Makes what delivers to a server: `reach(server)`, in the clear if nothing else is said."""

    def make(server: MailServer, **changes: object) -> SmtpBackend:
        plain = {"smtp_host": HERE, "smtp_port": server.port, "smtp_security": SmtpSecurity.NONE}
        return SmtpBackend(replace(settings, **{**plain, **changes}), timeout=5)

    return make


@contextmanager
def silence() -> Iterator[MailServer]:
    """A server that takes connections and never says a word."""
    with socket.create_server((HERE, 0)) as server:
        yield MailServer(port=server.getsockname()[1])


class TestDeliver:
    def test_mail_arrives(self, composer, serve, reach):
        """The server gets the mail as it was written, for the one address it is for."""
        server = serve()
        message = composer.compose(RESET)
        reach(server).deliver(message)

        [envelope] = server.envelopes
        arrived = message_from_bytes(envelope.content, type(message), policy=SMTP)
        assert (envelope.mail_from, envelope.rcpt_tos) == (
            "accounts@example.org", ["jane@example.com"]
        )  # fmt: skip
        assert link_of(arrived) == link_of(message)
        assert arrived["Message-ID"] == message["Message-ID"]

    def test_address_outside_ascii(self, composer, serve, reach):
        """RFC 6531: an address of other letters reaches a server that knows them."""
        server = serve()
        reach(server).deliver(composer.compose(replace(CHANGED, to="jörg@bücher.example")))

        assert server.envelopes[0].rcpt_tos == ["jörg@bücher.example"]
        assert "To: jörg@bücher.example" in texts(server.envelopes)[0]

    def test_address_outside_ascii_at_an_old_server(self, composer, serve, reach):
        """A server that does not know such letters gets nothing, rather than another address."""
        server = serve(knows_utf8=False)
        with pytest.raises(DeliveryFailed) as failure:
            reach(server).deliver(composer.compose(replace(CHANGED, to="jörg@example.com")))

        assert not failure.value.may_pass
        assert server.envelopes == []

    def test_domain_outside_ascii_at_an_old_server(self, composer, serve, reach):
        """A domain has a form for every server."""
        server = serve(knows_utf8=False)
        reach(server).deliver(composer.compose(replace(CHANGED, to="jane@bücher.example")))

        assert server.envelopes[0].rcpt_tos == ["jane@xn--bcher-kva.example"]

    def test_goodbye_goes_wrong(self, composer, serve, reach):
        """A mail that was taken counts as sent, whatever the server says afterwards."""
        server = serve(goodbye="421 I am tired")
        reach(server).deliver(composer.compose(CHANGED))

        assert len(server.envelopes) == 1


class TestProtection:
    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_encrypted(self, composer, serve, reach, believed, tmp_path, security):
        """The mail travels encrypted, to a server whose certificate is verified."""
        server = serve(
            tls=believed.server_context(tmp_path, HERE),
            from_the_start=security is SmtpSecurity.TLS,
        )
        reach(server, smtp_security=security).deliver(composer.compose(RESET))

        assert server.was_protected == [True]

    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_certificate_of_a_stranger(self, composer, serve, reach, authority, tmp_path, security):
        """A server that nobody vouches for gets no mail, at no later time either."""
        server = serve(
            tls=authority.server_context(tmp_path, HERE),
            from_the_start=security is SmtpSecurity.TLS,
        )
        with pytest.raises(DeliveryFailed, match="certificate verify failed") as failure:
            reach(server, smtp_security=security).deliver(composer.compose(RESET))

        assert not failure.value.may_pass
        assert server.envelopes == []

    def test_certificate_for_another_host(self, composer, serve, reach, believed, tmp_path):
        """A certificate has to be for the host that was asked for."""
        server = serve(tls=believed.server_context(tmp_path, "127.0.0.2"))
        with pytest.raises(DeliveryFailed, match="certificate verify failed"):
            reach(server, smtp_security=SmtpSecurity.STARTTLS).deliver(composer.compose(RESET))

        assert server.envelopes == []

    def test_encryption_was_struck_out(self, composer, serve, reach):
        """A server that offers no STARTTLS, or is made to look like it, gets no mail."""
        server = serve()
        with pytest.raises(DeliveryFailed) as failure:
            reach(server, smtp_security=SmtpSecurity.STARTTLS).deliver(composer.compose(RESET))

        assert not failure.value.may_pass
        assert server.envelopes == []

    # The library knows TLS only by STARTTLS.
    @pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
    @pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
    def test_password(self, composer, serve, reach, believed, tmp_path, security):
        """A server that asks for a password gets it, once the connection is encrypted."""
        server = serve(
            tls=believed.server_context(tmp_path, HERE),
            from_the_start=security is SmtpSecurity.TLS,
            asks_for_password=True,
        )
        by_password = {"smtp_username": USERNAME, "smtp_password": PASSWORD}
        reach(server, smtp_security=security, **by_password).deliver(composer.compose(RESET))

        assert len(server.envelopes) == 1

    def test_wrong_password(self, composer, serve, reach, believed, tmp_path):
        """A server that refuses the password is not asked again; the password is not told."""
        server = serve(tls=believed.server_context(tmp_path, HERE), asks_for_password=True)
        wrong = {"smtp_username": USERNAME, "smtp_password": "hunter2-hunter2"}
        with pytest.raises(DeliveryFailed, match="535") as failure:
            reach(server, smtp_security=SmtpSecurity.STARTTLS, **wrong).deliver(
                composer.compose(RESET)
            )

        assert not failure.value.may_pass
        assert "hunter2" not in str(failure.value)

    def test_password_that_cannot_be_sent(self, composer, serve, reach, believed, tmp_path):
        """A password outside ASCII, for which SMTP has no form, ends in a refusal like others."""
        server = serve(tls=believed.server_context(tmp_path, HERE), asks_for_password=True)
        odd = {"smtp_username": USERNAME, "smtp_password": "hünter"}
        with pytest.raises(DeliveryFailed) as failure:
            reach(server, smtp_security=SmtpSecurity.STARTTLS, **odd).deliver(
                composer.compose(RESET)
            )

        assert not failure.value.may_pass
        assert "hünter" not in str(failure.value)

    def test_password_in_the_clear(self):
        """ASVS 12.2.1, 13.2.1: no settings send a password over a connection without TLS."""
        with pytest.raises(SettingError, match="ROSTER_SMTP_SECURITY"):
            EmailSettings(
                smtp_host=HERE,
                smtp_username=USERNAME,
                smtp_password=PASSWORD,
                smtp_security=SmtpSecurity.NONE,
            )


class TestRefusals:
    @pytest.mark.parametrize(
        "answer, reason, may_pass",
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
    def test_answer(self, composer, serve, reach, answer, reason, may_pass):
        """RFC 5321, 4.2.1: what a server answers with 4yz may pass, 5yz is final."""
        server = serve(answers=[answer])
        with pytest.raises(DeliveryFailed) as failure:
            reach(server).deliver(composer.compose(RESET))

        assert str(failure.value) == f"the mail server answered {reason}"
        assert failure.value.may_pass is may_pass
        assert server.envelopes == []

    def test_reason_names_nobody(self, composer, serve, reach):
        """ASVS 16.2.5: servers repeat the address in their answers, reasons do not."""
        server = serve(answers=["550 5.1.1 <rcpt>"])
        with pytest.raises(DeliveryFailed) as failure:
            reach(server).deliver(composer.compose(RESET))

        assert "jane" not in repr(failure.value)
        assert failure.value.__suppress_context__

    def test_silence(self, composer, settings):
        """A server that never answers is left after the time that was set."""
        with silence() as server:
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
                smtp.deliver(composer.compose(RESET))

        assert failure.value.may_pass

    @pytest.mark.parametrize("security", SmtpSecurity)
    def test_nobody_there(self, composer, reach, security):
        """A server that is not there may come back."""
        nobody = MailServer(port=free_port())
        with pytest.raises(DeliveryFailed, match="refused") as failure:
            reach(nobody, smtp_security=security).deliver(composer.compose(RESET))

        assert failure.value.may_pass

    def test_unknown_host(self, composer, reach):
        """A name that leads nowhere may be known later."""
        nobody = MailServer(port=25)
        with pytest.raises(DeliveryFailed) as failure:
            reach(nobody, smtp_host="mail.invalid").deliver(composer.compose(RESET))

        assert failure.value.may_pass

    def test_plain_server_where_tls_is_expected(self, composer, serve, reach):
        """A server that answers TLS in the clear gets no mail."""
        server = serve()
        with pytest.raises(DeliveryFailed):
            reach(server, smtp_security=SmtpSecurity.TLS).deliver(composer.compose(RESET))

        assert server.envelopes == []
