"""What a user's telephone does, by code of its own: the codes of RFC 6238, and a clock to move."""

import base64
import hmac

STEP = 30


class Clock:
    """Tells the time that a test gives it, in seconds since 1970."""

    def __init__(self, seconds: float = 1_800_000_000) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def move(self, steps: float) -> None:
        """Let so many time steps pass."""
        self.seconds += steps * STEP


class Authenticator:
    """Shows the codes of a secret.

    Args:
        secret: Base32, as it is typed into a telephone.
        clock: The telephone's.
    """

    def __init__(self, secret: str, clock: Clock) -> None:
        self._key = base64.b32decode(secret)
        self._clock = clock

    def code(self, steps: int = 0) -> str:
        """The code that is shown now, or so many steps later."""
        counter = int(self._clock() // STEP) + steps
        digest = hmac.digest(self._key, counter.to_bytes(8, "big"), "sha1")
        offset = digest[-1] & 15
        number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
        return f"{number % 10**6:06}"
