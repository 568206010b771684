"""Codes of a second factor: time-based codes (TOTP) and recovery codes.

The only module that computes time-based codes (RFC 6238) and seals their secrets.
"""

import base64
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from passlib.exc import TokenError
from passlib.totp import TOTP

from models.errors import UnreadableSecret
from models.security import legacy_totp
from models.security.legacy_totp import LegacyTotpSecrets
from models.security.secret_keys import Sealer, SecretKeys, derive_bytes, key_id_of

log = logging.getLogger(__name__)

# Every authenticator app supports these; several ignore other values in the URI.
_STEP_SECONDS = 30
_DIGITS = 6
_OTP = re.compile(f"[0-9]{{{_DIGITS}}}")
# RFC 4226, 4: 160 bits are recommended.
_SECRET_BYTES = 20
# The key of version 0.6 that was derived from the secret key, as `key_of` names it.
DERIVED_KEY = f"tag {legacy_totp.DERIVED_TAG}"
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
        stored: The sealed secret, to be stored.
        secret: Base32, for manual entry.
        uri: The secret as an `otpauth://` URI, for a QR code.
    """

    stored: str = field(repr=False)
    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True)
class MatchedCode:
    """A code that is valid now.

    Attributes:
        counter: The counter of its time step.
        resealed: The secret sealed with the current key, None if it is already.
    """

    counter: int
    resealed: str | None = field(default=None, repr=False)


class Totp:
    """Creates secrets and verifies codes.

    A code is shown for 30 seconds (ASVS 6.5.5). It is also accepted one step early and one step
    late (RFC 6238, 5.2), for typing time and clock drift. The longer validity does little harm:
    the caller stores the counter of a match and accepts only later ones, so each code works once
    (ASVS 6.5.1).

    Args:
        secret_keys: The first key seals new secrets, all of them open.
        issuer: The name of the service in authenticator apps.
        legacy_secrets: The secrets of ROSTER_TOTP_SECRETS, by tag.
        clock: Returns the seconds since 1970.
    """

    def __init__(
        self,
        secret_keys: Sequence[str],
        issuer: str = "Roster",
        *,
        legacy_secrets: Mapping[str, str] = MappingProxyType({}),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self._sealer = Sealer(SecretKeys(secret_keys), "second factors")
        self._legacy = LegacyTotpSecrets(secret_keys, legacy_secrets)
        self._factory = TOTP.using(digits=_DIGITS, period=_STEP_SECONDS, alg="sha1", issuer=issuer)

    @property
    def key_ids(self) -> list[str]:
        """The IDs of the secret keys, the current one first."""
        return self._sealer.key_ids

    @property
    def legacy_keys(self) -> list[str]:
        """The keys that open the form of 0.6, as `key_of` names them."""
        return [f"tag {tag}" for tag in self._legacy.tags]

    def new(self, label: str, user_id: str) -> NewSecret:
        """Return a new secret of 160 bits.

        Args:
            label: The account in authenticator apps.
            user_id: The owner: the stored value cannot be used for another user.
        """
        totp = self._factory.new(size=_SECRET_BYTES)
        return NewSecret(self._sealer.seal(totp.key, user_id), totp.base32_key, totp.to_uri(label))

    def match(self, stored: str, otp: str, *, user_id: str, after: int = -1) -> MatchedCode | None:
        """Return the time step that a code belongs to, and the secret to store.

        Args:
            stored: The sealed secret.
            otp: The code as typed; spaces and hyphens are ignored.
            user_id: The owner.
            after: The last counter that was used: only later ones match.

        Returns:
            None if the code is not valid now.

        Raises:
            UnreadableSecret: No configured key opens the secret.
        """
        code = _without_separators(otp)
        # passlib's comparison fails on anything but ASCII digits.
        if not _OTP.fullmatch(code):
            return None
        secrets = self._open(stored, user_id)
        counters = {secret: self._counter(secret, code, after) for secret in secrets}
        matches = {secret: counter for secret, counter in counters.items() if counter is not None}
        if not matches:
            if key_id_of(stored) is None:
                log.warning(
                    "A code of user %s is rejected. A wrong code cannot be told from a wrong key,"
                    " since the second factor has the form of 0.6: run `roster keys rekey`",
                    user_id,
                )
            return None
        is_stored = self._is_current(stored) and len(matches) == len(secrets)
        resealed = None if is_stored else self._seal(list(matches), user_id)
        return MatchedCode(max(matches.values()), resealed)

    def is_code_of(self, stored: str, otp: str, *, user_id: str, counter: int) -> bool:
        """Return whether a code is the one of a time step, whatever the time is now.

        Args:
            stored: The sealed secret.
            otp: The code as typed; spaces and hyphens are ignored.
            user_id: The owner.
            counter: The counter of the time step.

        Raises:
            UnreadableSecret: No configured key opens the secret.
        """
        code = _without_separators(otp)
        expected = (
            self._factory(secret, format="raw").generate(counter * _STEP_SECONDS).token
            for secret in self._open(stored, user_id)
        )
        # compare_digest fails on text outside ASCII.
        return bool(_OTP.fullmatch(code)) and any(
            hmac.compare_digest(code, each) for each in expected
        )

    def recovery_codes(self, stored: str, enrollment_id: str, *, user_id: str) -> list[str]:
        """Return the recovery codes that an enrollment begins with: the same ones each time.

        They are derived (HKDF, RFC 5869) from the secret, which is stored sealed, and from the ID
        of the enrollment, which no response contains: neither a copy of the database nor one of
        the authenticator gives them away.

        Raises:
            UnreadableSecret: No configured key opens the secret.
        """
        size = RECOVERY_CODES * _RECOVERY_CODE_BYTES
        secret, *_ = self._open(stored, user_id)
        derived = derive_bytes(secret, "recovery codes", salt=enrollment_id, size=size)
        return [
            _recovery_code(derived[at : at + _RECOVERY_CODE_BYTES])
            for at in range(0, size, _RECOVERY_CODE_BYTES)
        ]

    def reseal(self, stored: str, user_id: str) -> str | None:
        """Return a secret sealed with the current key, None if it is already.

        Raises:
            UnreadableSecret: No configured key opens the secret.
        """
        if self._is_current(stored):
            return None
        return self._seal(self._open(stored, user_id), user_id)

    def _is_current(self, stored: str) -> bool:
        return key_id_of(stored) == self.key_ids[0]

    def _seal(self, secrets: list[bytes], user_id: str) -> str:
        return self._sealer.seal(b"".join(secrets), user_id)

    def _open(self, stored: str, user_id: str) -> list[bytes]:
        """Return the secret; several if one of the form of 0.6 may have one of several keys."""
        try:
            if legacy_totp.tag_of(stored) is not None:
                return self._legacy.open(stored)
            opened = self._sealer.open(stored, user_id)
        except UnreadableSecret as error:
            raise UnreadableSecret(
                f"The second factor of {user_id} is unreadable: {error}."
            ) from None
        return [opened[at : at + _SECRET_BYTES] for at in range(0, len(opened), _SECRET_BYTES)]

    def _counter(self, secret: bytes, code: str, after: int) -> int | None:
        try:
            match = self._factory(secret, format="raw").match(
                code, self.clock(), window=_STEP_SECONDS, last_counter=after
            )
        except TokenError:
            return None
        return int(match.counter)


def key_of(stored: str) -> str | None:
    """Return the ID of the key that sealed a secret, or its tag in the form of 0.6.

    Returns:
        None if the value has no known form.
    """
    if (tag := legacy_totp.tag_of(stored)) is not None:
        return f"tag {tag}"
    return key_id_of(stored)


def new_recovery_codes() -> list[str]:
    """Return new recovery codes for a lost authenticator, in groups that are easy to copy."""
    return [
        _recovery_code(secrets.token_bytes(_RECOVERY_CODE_BYTES)) for _ in range(RECOVERY_CODES)
    ]


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


def _recovery_code(random: bytes) -> str:
    text = base64.b32encode(random).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _without_separators(code: str) -> str:
    return code.replace(" ", "").replace("-", "")
