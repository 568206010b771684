"""Measure the rules for new passwords: `PYTHONPATH=. python tools/measure_password_policy.py`."""

import random
import statistics
import time
from contextlib import suppress

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from models import PasswordPolicy
from models.errors import WeakPassword

_COUNT = 500
_WORDS = [word for word in FREQUENCY_LISTS["english_wikipedia"][:8000] if len(word) > 3]


def main() -> None:
    """Print the median and the spread for several lengths."""
    policy, choices = PasswordPolicy(), random.Random(1)
    policy.validate("seven lanterns on the pier")
    for length in (20, 28, 64, 1024):
        times = []
        for _ in range(_COUNT):
            password = " ".join(choices.choices(_WORDS, k=length // 4))[:length]
            begin = time.perf_counter()
            with suppress(WeakPassword):
                policy.validate(password, "ada", "ada@example.com", "Ada Lovelace")
            times.append((time.perf_counter() - begin) * 1000)
        low, *_, high = statistics.quantiles(times, n=20)
        print(
            f"{length:4} characters: median {statistics.median(times):.1f} ms,"
            f" 5 % to 95 % {low:.1f} to {high:.1f} ms"
        )


if __name__ == "__main__":
    main()
