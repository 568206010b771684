"""Codes of a second factor: those that an authenticator shows, and those kept on paper.

The only place that computes time-based codes (RFC 6238) and encrypts what they come from.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from passlib.exc import TokenError
from passlib.totp import TOTP

# What every authenticator supports; several ignore anything else that the URI asks for.
_STEP_SECONDS = 30
_DIGITS = 6
_OTP = re.compile(f"[0-9]{{{_DIGITS}}}")
# log2 of PBKDF2's rounds, half a millisecond. Stretching makes passwords harder to guess; what
# these keys come from is random and long, and it would be paid for at each sign-in.
_ENCRYPT_COST = 10
# 120 bits: from 112 on a plain digest is enough to store (ASVS 6.5.2), and 15 bytes are 24
# letters of base32 without padding.
_RECOVERY_CODE_BYTES = 15
_RECOVERY_CODE = re.compile("[a-z2-7]{24}")
_GROUP = 4
RECOVERY_CODES = 10


@dataclass(frozen=True)
class NewSecret:
    """A secret that an authenticator is to learn.

    Attributes:
        stored: What is kept of it, encrypted.
        secret: Base32, for who types it.
        uri: The same as `otpauth://...`, for who scans it.
    """

    stored: str = field(repr=False)
    secret: str = field(repr=False)
    uri: str = field(repr=False)


class Totp:
    """Makes secrets and compares codes.

    A code is shown for 30 seconds (ASVS 6.5.5). It counts during the step before and the step
    after its own too, no more (RFC 6238, 5.2): it takes a moment to type, and a telephone's clock
    is not quite ours. That this lengthens its life does not matter much, since whoever stores the
    counter of a match and asks for later ones takes each code once (ASVS 6.5.1).

    Args:
        secrets: What the stored secrets are encrypted with, by tag. The last tag in order
            (numbers as numbers) encrypts new ones, the others still decrypt old ones.
        issuer: What authenticators call the service.
        clock: Tells the seconds since 1970.
    """

    def __init__(
        self,
        secrets: Mapping[str, str],
        issuer: str = "Roster",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self._factory = TOTP.using(
            digits=_DIGITS,
            period=_STEP_SECONDS,
            alg="sha1",
            issuer=issuer,
            secrets=dict(secrets),
            encrypt_cost=_ENCRYPT_COST,
        )

    def new(self, label: str) -> NewSecret:
        """A fresh secret of 160 bits, for an account with this label."""
        made = self._factory.new()
        return NewSecret(made.to_json(encrypt=True), made.base32_key, made.to_uri(label))

    def match(self, stored: str, otp: str, *, after: int = -1) -> int | None:
        """The counter of the time step that a code belongs to.

        Args:
            stored: The encrypted secret.
            otp: Whatever the caller typed; spaces and hyphens do not count.
            after: The last counter that was used: neither it nor an earlier one is taken.

        Returns:
            None if the code is not one of this moment.

        Raises:
            KeyError: The secret with the tag of this one is not there any more.
        """
        code = _without_gaps(otp)
        # Nothing but ASCII digits reaches the comparison, which would fail on others.
        if not _OTP.fullmatch(code):
            return None
        try:
            match = self._factory.from_json(stored).match(
                code, self.clock(), window=_STEP_SECONDS, last_counter=after
            )
        except TokenError:
            return None
        return int(match.counter)


def secrets_from(secret_key: str) -> dict[str, str]:
    """What secrets are encrypted with where the operator has given nothing for it.

    The tag comes before every other one. Together with these, secrets that are given later
    encrypt what is new, while what is there can still be read:
    `{**secrets_from(secret_key), **given}`.
    """
    # The label keeps this apart from whatever else is derived from the key.
    derived = hmac.digest(secret_key.encode(), b"roster second factors", "sha256")
    return {"0": derived.hex()}


def new_recovery_codes() -> list[str]:
    """Fresh codes for who has lost the authenticator, in groups that are easy to copy."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def digest_of(recovery_code: str) -> str | None:
    """What is stored of a recovery code, whatever its case and gaps.

    Returns:
        None if it has not the form of one.
    """
    code = _without_gaps(recovery_code)
    # Letters outside ASCII, such as the Kelvin sign, have lower cases inside.
    if not code.isascii() or not _RECOVERY_CODE.fullmatch(code.lower()):
        return None
    return hashlib.sha256(code.lower().encode()).hexdigest()


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _without_gaps(code: str) -> str:
    return code.replace(" ", "").replace("-", "")
