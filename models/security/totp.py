"""Codes of a second factor: time-based codes (TOTP) and recovery codes.

The only module that computes time-based codes (RFC 6238) and encrypts their secrets.
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

# Every authenticator app supports these; several ignore other values in the URI.
_STEP_SECONDS = 30
_DIGITS = 6
_OTP = re.compile(f"[0-9]{{{_DIGITS}}}")
# log2 of PBKDF2's rounds, half a millisecond. Stretching protects guessable passwords; these keys
# are derived from long random values, and more rounds would slow down every sign-in.
_ENCRYPT_COST = 10
# 120 bits: from 112 bits on a plain digest may be stored (ASVS 6.5.2), and 15 bytes make 24
# letters of base32 without padding.
_RECOVERY_CODE_BYTES = 15
_RECOVERY_CODE = re.compile("[a-z2-7]{24}")
_GROUP = 4
RECOVERY_CODES = 10


@dataclass(frozen=True)
class NewSecret:
    """A new secret for an authenticator app.

    Attributes:
        stored: The encrypted secret, to be stored.
        secret: Base32, for manual entry.
        uri: The secret as an `otpauth://` URI, for a QR code.
    """

    stored: str = field(repr=False)
    secret: str = field(repr=False)
    uri: str = field(repr=False)


class Totp:
    """Creates secrets and verifies codes.

    A code is shown for 30 seconds (ASVS 6.5.5). It is also accepted one step early and one step
    late (RFC 6238, 5.2), for typing time and clock drift. The longer validity does little harm:
    the caller stores the counter of a match and accepts only later ones, so each code works once
    (ASVS 6.5.1).

    Args:
        secrets: Encryption secrets by tag. The last tag in order (numbers as numbers) encrypts new
            secrets, the others still decrypt old ones.
        issuer: The name of the service in authenticator apps.
        clock: Returns the seconds since 1970.
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
        """Return a new secret of 160 bits for an account with this label."""
        totp = self._factory.new()
        return NewSecret(totp.to_json(encrypt=True), totp.base32_key, totp.to_uri(label))

    def match(self, stored: str, otp: str, *, after: int = -1) -> int | None:
        """Return the counter of the time step that a code belongs to.

        Args:
            stored: The encrypted secret.
            otp: The code as typed; spaces and hyphens are ignored.
            after: The last counter that was used: only later ones match.

        Returns:
            None if the code is not valid now.

        Raises:
            KeyError: The encryption secret with this tag is no longer configured.
        """
        code = _without_separators(otp)
        # passlib's comparison fails on anything but ASCII digits.
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
    """Return the encryption secret derived from the service's secret key, by tag.

    Its tag sorts before every other one. Merged with secrets that are configured later, those
    encrypt new values while old ones can still be decrypted:
    `{**secrets_from(secret_key), **configured}`.
    """
    # The label separates this key from other keys derived from the same secret.
    derived = hmac.digest(secret_key.encode(), b"roster second factors", "sha256")
    return {"0": derived.hex()}


def new_recovery_codes() -> list[str]:
    """Return new recovery codes for a lost authenticator, in groups that are easy to copy."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def digest_of(recovery_code: str) -> str | None:
    """Return the stored digest of a recovery code; case, spaces and hyphens are ignored.

    Returns:
        None if the text does not look like a recovery code.
    """
    code = _without_separators(recovery_code)
    # Some letters outside ASCII, such as the Kelvin sign, have an ASCII lower case.
    if not code.isascii() or not _RECOVERY_CODE.fullmatch(code.lower()):
        return None
    return hashlib.sha256(code.lower().encode()).hexdigest()


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _without_separators(code: str) -> str:
    return code.replace(" ", "").replace("-", "")
