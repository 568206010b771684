"""Deliver messages to a mail server; the only module that speaks SMTP."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from roster.config import EmailSettings, SmtpSecurity
from roster.email.delivery import DeliveryFailed

# RFC 3463: three numbers at the beginning of a server's reply.
_ENHANCED_CODE = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=\s)")
# A retry would fail in the same way: a wrong certificate, an extension that the server lacks, a
# password that cannot be sent.
_PERMANENT = (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError, ValueError)


class SmtpBackend:
    """One mail server.

    Args:
        settings: Its address, credentials and TLS mode.
        timeout: Seconds to wait for the connection and for each reply.
    """

    def __init__(self, settings: EmailSettings, timeout: float = 10.0) -> None:
        self._settings = settings
        self._timeout = timeout
        # Verifies the certificate and the host name. SSL_CERT_FILE can name a private authority.
        self._tls = ssl.create_default_context()

    def deliver(self, message: EmailMessage) -> None:
        """Deliver a message.

        Raises:
            DeliveryFailed: The server did not accept it.
        """
        try:
            with self._connection() as server:
                self._introduce(server)
                self._send(server, message)
        except (OSError, ValueError) as error:
            # Replies of servers often contain the address, and so does the error.
            raise _failure(error) from None

    def _send(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        # The parsed addresses: the text of the header is not parsed a second time.
        sender, to = (message[name].addresses[0].addr_spec for name in ("From", "To"))
        server.send_message(message, from_addr=sender, to_addrs=[to])

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server = self._connect()
        try:
            yield server
            # The message is accepted. A retry after a failed QUIT would deliver it twice.
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
            # Raises if it is not offered: an attacker in between may have removed the offer.
            server.starttls(context=self._tls)
        if self._settings.smtp_username is not None:
            server.login(self._settings.smtp_username, self._settings.smtp_password or "")


def _failure(error: OSError | ValueError) -> DeliveryFailed:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _rejection(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        return _rejection(error.smtp_code, error.smtp_error)
    reason = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        reason = f"{reason}: {error.strerror}"
    # smtplib raises its base class if no authentication method is supported.
    is_permanent = isinstance(error, _PERMANENT) or type(error) is smtplib.SMTPException
    return DeliveryFailed(reason, is_temporary=not is_permanent)


def _rejection(code: int, text: bytes | str) -> DeliveryFailed:
    enhanced = _ENHANCED_CODE.match(text if isinstance(text, bytes) else text.encode())
    numbers = f"{code} {enhanced[0].decode()}" if enhanced else str(code)
    # RFC 5321, 4.2.1: 5yz is permanent. Everything else may succeed on a retry.
    return DeliveryFailed(f"the mail server replied {numbers}", is_temporary=not 500 <= code <= 599)
