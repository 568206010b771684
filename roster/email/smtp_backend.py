"""Takes messages to a mail server: the only place that speaks SMTP."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from roster.config import EmailSettings, SmtpSecurity
from roster.email.delivery import DeliveryFailed

# RFC 3463: three numbers at the beginning of what a server says.
_ENHANCED_CODE = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=\s)")
# Another try would meet the same: a certificate of somebody else, a server that cannot do what we
# ask for, a password that cannot be sent.
_LASTING = (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError, ValueError)


class SmtpBackend:
    """One mail server.

    Args:
        settings: Where it is, and how it is spoken to.
        timeout: Seconds to wait for the connection and for each answer.
    """

    def __init__(self, settings: EmailSettings, timeout: float = 10.0) -> None:
        self._settings = settings
        self._timeout = timeout
        # Verifies the certificate and the host's name. SSL_CERT_FILE names an authority of one's
        # own.
        self._tls = ssl.create_default_context()

    def deliver(self, message: EmailMessage) -> None:
        """Hand a message over.

        Raises:
            DeliveryFailed: The server did not take it.
        """
        try:
            with self._connection() as server:
                self._introduce(server)
                self._send(server, message)
        except (OSError, ValueError) as error:
            # What servers say often holds the address, and the error has it too.
            raise _failure(error) from None

    def _send(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        # Addresses as they were composed: nobody parses the header's text a second time.
        sender, to = (message[name].addresses[0].addr_spec for name in ("From", "To"))
        server.send_message(message, from_addr=sender, to_addrs=[to])

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server = self._connect()
        try:
            yield server
            # The message is taken. If the goodbye goes wrong, sending it again makes two of it.
            with contextlib.suppress(OSError):
                server.quit()
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        host, port = self._settings.smtp_host or "", self._settings.smtp_port
        if self._settings.smtp_security is SmtpSecurity.TLS:
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(host, port, timeout=self._timeout)

    def _introduce(self, server: smtplib.SMTP) -> None:
        if self._settings.smtp_security is SmtpSecurity.STARTTLS:
            # Raises where it is not offered: somebody on the way may have struck it out.
            server.starttls(context=self._tls)
        if self._settings.smtp_username is not None:
            server.login(self._settings.smtp_username, self._settings.smtp_password or "")


def _failure(error: OSError | ValueError) -> DeliveryFailed:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _refusal(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        return _refusal(error.smtp_code, error.smtp_error)
    reason = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        reason = f"{reason}: {error.strerror}"
    # smtplib raises its base class where the server knows none of the ways to sign in.
    lasts = isinstance(error, _LASTING) or type(error) is smtplib.SMTPException
    return DeliveryFailed(reason, may_pass=not lasts)


def _refusal(code: int, text: bytes | str) -> DeliveryFailed:
    enhanced = _ENHANCED_CODE.match(text if isinstance(text, bytes) else text.encode())
    numbers = f"{code} {enhanced[0].decode()}" if enhanced else str(code)
    # RFC 5321, 4.2.1: 5yz is final. Whatever else there is may have passed by the next time.
    return DeliveryFailed(f"the mail server answered {numbers}", may_pass=not 500 <= code <= 599)
