"""A real mail server on this computer, that says what a test wants it to say."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.process_harness import HERE, free_port

USERNAME, PASSWORD = "roster", "a mail password"


@dataclass
class MailServer:
    """What came, and what is answered to it.

    Attributes:
        answers: What the next mails are answered, one each; all further ones are taken.
        goodbye: What QUIT is answered.
        tls: What it speaks TLS with, if it does.
        from_the_start: Whether TLS comes before the first word.
        asks_for_password: Whether it takes mails of those only who sign in.
        knows_utf8: Whether addresses may be other than ASCII.
    """

    answers: list[str] = field(default_factory=list)
    goodbye: str = "221 Bye"
    tls: ssl.SSLContext | None = None
    from_the_start: bool = False
    asks_for_password: bool = False
    knows_utf8: bool = True
    envelopes: list[Envelope] = field(default_factory=list)
    was_protected: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers and self.answers[0].endswith("<rcpt>"):
            return self.answers.pop(0).replace("<rcpt>", f"<{address}> is refused")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        self.envelopes.append(envelope)
        self.was_protected.append(self.from_the_start or session.ssl is not None)
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.goodbye

    def sign_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = LoginPassword(USERNAME.encode(), PASSWORD.encode())
        # What is not handled is answered 535 by the library.
        return AuthResult(success=data == right, handled=False)

    @contextmanager
    def running(self) -> Iterator["MailServer"]:
        """Serve until the end of the block."""
        self.port = free_port()
        controller = Controller(
            self,
            hostname=HERE,
            port=self.port,
            ssl_context=self.tls if self.from_the_start else None,
            tls_context=None if self.from_the_start else self.tls,
            require_starttls=bool(self.tls) and not self.from_the_start,
            auth_required=self.asks_for_password,
            auth_require_tls=not self.from_the_start,
            authenticator=self.sign_in,
            enable_SMTPUTF8=self.knows_utf8,
        )
        controller.start()
        try:
            yield self
        finally:
            controller.stop()


def texts(envelopes: Sequence[Envelope]) -> list[str]:
    """What came, as it came."""
    return [bytes(envelope.content or b"").decode() for envelope in envelopes]
