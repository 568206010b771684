"""TOTP secrets as version 0.6 and earlier stored them, written with passlib."""

import base64
import hmac

from passlib.totp import TOTP


def encrypt(secret: str, *, tag: str = "", secret_key: str = "", key: str = "") -> str:
    """Return the stored form of a secret.

    Args:
        secret: Base32, as an authenticator has it.
        tag: The tag of the key.
        secret_key: The ROSTER_SECRET_KEY of that time, whose tag is 0.
        key: The key of the tag in ROSTER_TOTP_SECRETS, if that was set.
    """
    if not tag:
        tag = "0"
        key = hmac.digest(secret_key.encode(), b"roster second factors", "sha256").hex()
    factory = TOTP.using(secrets={tag: key}, encrypt_cost=10)
    return str(factory(base64.b32decode(secret), format="raw").to_json(encrypt=True))
