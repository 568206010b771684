"""The mailer that all emails of the domain pass: no account's mailbox can be flooded through it.

A quota for each account and kind of email, notices that follow each other are merged, and an
unverified address gets nothing but links that its owner needs, without a text that a user chose.
"""

import logging
from dataclasses import replace
from functools import partial

from flask_pynamodb import is_unavailable
from models.email import Email, EmailKind, Mailer
from models.services.background import Background
from models.tables.rate_window import RateLimit, count_use

log = logging.getLogger("roster.mail")

# The notices of one kind that an account gets; further ones are counted in the next one.
NOTICE_QUOTA = RateLimit("notices", quota=5, window=3600)
# Kinds with their own quotas: guessing codes must not flood the mailbox.
_QUOTAS = {EmailKind.WRONG_CODE: RateLimit("notices", quota=1, window=3600)}
# Emails with a token may go to unverified addresses: verifying them depends on it.
_WITH_TOKEN = frozenset(
    {
        EmailKind.VERIFY_EMAIL,
        EmailKind.CONFIRM_EMAIL_CHANGE,
        EmailKind.RESET_PASSWORD,
        EmailKind.INVITATION,
    }
)
# Emails that a caller requests have quotas where they are requested (`AccountEmails`).
REQUESTED = _WITH_TOKEN | {EmailKind.ADDRESS_IN_USE}


class AccountMailer:
    """Sends requested emails at once, and notices a few seconds later.

    Args:
        mailer: Delivers the emails.
        background: Merges and counts notices, so that no request waits for it, or reveals by its
            time that an email is sent (ASVS 6.3.8).
    """

    def __init__(self, mailer: Mailer, background: Background) -> None:
        self._mailer = mailer
        self._background = background

    @property
    def is_configured(self) -> bool:
        """Whether emails can be sent."""
        return self._mailer.is_configured

    def send(self, email: Email) -> None:
        """Queue an email, unless it is a notice to an unverified address."""
        if not self.is_configured:
            return
        if not email.is_verified:
            # A user can register with the address of another person: texts that the user chose
            # could be phishing in the name of this service.
            is_decoy = email.is_decoy or email.kind not in _WITH_TOKEN
            email = replace(email, username="", detail=None, is_decoy=is_decoy)
        if email.kind in REQUESTED:
            self._mailer.send(email)
        elif not email.is_decoy:
            key = ("notice", email.account_id, email.kind, email.to)
            self._background.submit(key, partial(self._send_notice, email), is_essential=True)

    def drain(self, seconds: float) -> bool:
        """Attempt to deliver each email now; return whether none is queued."""
        return self._background.drain(seconds) and self._mailer.drain(seconds)

    def _send_notice(self, email: Email, times: int) -> None:
        quota = _QUOTAS.get(email.kind, NOTICE_QUOTA)
        try:
            count, earlier = count_use(quota, f"{email.kind}#{email.account_id}", times)
        except Exception as error:
            if not is_unavailable(error):
                raise
            # A notice is more important than its quota.
            count, earlier = times, 0
        if count - times >= quota.quota:
            log.warning("email %s merged: the quota of %s", email.kind, email.account_id)
            return
        # Of the window before, only what exceeded the quota was not sent.
        if earlier > quota.quota:
            email = replace(email, count=count + earlier, hours=2)
        elif count > 1:
            email = replace(email, count=count)
        self._mailer.send(email)
