"""What the fields of an account look like, each rule written once.

The domain validates with these rules, and the API builds its schemas and its descriptions from
them.
"""

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class FieldRule:
    """The rule for one text field.

    Attributes:
        requirement: A sentence for the caller that says what the field must look like.
        max_length: Characters at most.
        min_length: Characters at least.
        pattern: An anchored regular expression, valid in Python and in ECMA-262.
    """

    requirement: str
    max_length: int
    min_length: int = 0
    pattern: str | None = None

    @cached_property
    def _expression(self) -> "re.Pattern[str] | None":
        return re.compile(self.pattern) if self.pattern else None

    def matches(self, text: str) -> bool:
        """Return whether a text obeys the rule."""
        if not self.min_length <= len(text) <= self.max_length:
            return False
        return self._expression is None or self._expression.fullmatch(text) is not None


# The canonical form of a UUID and of a SHA-256 digest. No other form is looked up.
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_SHA256 = r"^[0-9a-f]{64}$"


def any_case(pattern: str | None) -> str:
    """Return the pattern of an ID for requests, which may write it in any letter case."""
    return (pattern or "").replace("[0-9a-f]", "[0-9A-Fa-f]")


# Control characters, and characters that hide text or change its direction on a screen: names of
# API keys are shown in lists and emails.
_UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff"

_NO_NUL = r"^[^\x00]*$"
_NO_NUL_REQUIREMENT = "It must not contain a NUL character."

USER_ID = FieldRule("It must be a UUID in lower case.", max_length=36, pattern=_UUID)
EVENT_ID = USER_ID
SESSION_ID = FieldRule("It must be 64 hexadecimal digits.", max_length=64, pattern=_SHA256)
API_KEY_ID = SESSION_ID
ACTOR = FieldRule(
    "It must be the ID of a user, a client or an API key.",
    max_length=64,
    pattern=f"{_UUID}|{_SHA256}",
)
# Both cases are spelled out: a case-insensitive match would accept U+017F and U+212A as s and k.
USERNAME = FieldRule(
    "A username has 3 to 32 letters (a-z), digits, dots, underscores or hyphens"
    " and starts with a letter or digit.",
    min_length=3,
    max_length=32,
    pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$",
)
# RFC 5321, 4.5.3.1.3: a path of 256 octets, less its angle brackets. email-validator checks the
# syntax of addresses that are stored; any text that could be an address can be looked up.
EMAIL = FieldRule("It must be an email address.", max_length=254)
EMAIL_LOOKUP = FieldRule(
    "It must be an email address.", max_length=254, pattern=r"^[^@\x00]+@[^@\x00]+$"
)
# A username or an email address.
LOGIN = FieldRule(_NO_NUL_REQUIREMENT, max_length=254, pattern=_NO_NUL)
# NIST SP 800-63B-4 asks verifiers to accept at least 64 characters.
PASSWORD = FieldRule(_NO_NUL_REQUIREMENT, max_length=1024, pattern=_NO_NUL)
FULL_NAME = FieldRule(
    "It must not contain control characters.", max_length=200, pattern=rf"^[^{_UNPRINTABLE}]*$"
)
# RFC 5646, section 2.1: a language, and optionally script, region, variants, extensions and private
# subtags; or private subtags alone. The irregular tags of before 2006, such as i-klingon, are
# excluded as in Unicode (UTS 35): no browser sends them.
LOCALE = FieldRule(
    "It must be a language tag (BCP 47) of at most 64 characters, such as de or pt-BR.",
    max_length=64,
    pattern=(
        r"^(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})"
        r"(?:-[A-Za-z]{4})?"
        r"(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
        r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
        r"(?:-[0-9A-WYZa-wyz](?:-[A-Za-z0-9]{2,8})+)*"
        r"(?:-[Xx](?:-[A-Za-z0-9]{1,8})+)?"
        r"|[Xx](?:-[A-Za-z0-9]{1,8})+)$"
    ),
)
ROLE = FieldRule(
    "A role has 1 to 32 letters (a-z), digits or hyphens and starts with a letter.",
    min_length=1,
    max_length=32,
    pattern=r"^[a-z][a-z0-9-]{0,31}$",
)
# The ID of the user in another system, of whatever form that has. It is compared to the letter.
EXTERNAL_ID = FieldRule(
    "It must be 1 to 128 printable characters and neither start nor end with a space.",
    min_length=1,
    max_length=128,
    pattern=rf"^[^\s{_UNPRINTABLE}](?:[^{_UNPRINTABLE}]{{0,126}}[^\s{_UNPRINTABLE}])?$",
)
# The beginning of a username, an email address or a word of a name. It has to have two characters
# after accents and hidden ones are removed, which a pattern cannot say.
SEARCH = FieldRule(_NO_NUL_REQUIREMENT, min_length=1, max_length=256, pattern=_NO_NUL)
API_KEY_NAME = FieldRule(
    "A name has 1 to 100 printable characters and does not start with a space.",
    min_length=1,
    max_length=100,
    pattern=rf"^[^ {_UNPRINTABLE}][^{_UNPRINTABLE}]{{0,99}}$",
)
CLIENT_NAME = API_KEY_NAME
CLIENT_ID = USER_ID
CLIENT_SECRET_ID = USER_ID
CLIENT_SECRET = FieldRule(
    "It must be the secret of a client.", max_length=128, pattern="^rsc_[A-Za-z0-9_-]+$"
)
# RFC 8707, section 2: an absolute URI without a fragment. Quotes and angle brackets are no part of
# a URI (RFC 3986).
AUDIENCE = FieldRule(
    "It must be an absolute URI without a fragment, such as https://api.example.com, of at most"
    " 200 characters.",
    max_length=200,
    pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]+$",
)
# Visible ASCII, so that every proxy passes it on unchanged. Short ones would collide by chance.
IDEMPOTENCY_KEY = FieldRule(
    "It must be 16 to 128 visible ASCII characters without spaces, different for each request, such"
    " as a random UUID.",
    min_length=16,
    max_length=128,
    pattern=r"^[!-~]{16,128}$",
)
# TOTP codes and recovery codes, with the spaces and hyphens that people type.
OTP = FieldRule(_NO_NUL_REQUIREMENT, max_length=64, pattern=_NO_NUL)
EMAILED_TOKEN = FieldRule(
    "It must be letters, digits, underscores and hyphens.",
    max_length=128,
    pattern="^[A-Za-z0-9_-]+$",
)
INVITATION_ID = USER_ID
SESSION_TOKEN = FieldRule(
    "It must be the token of a session.", max_length=128, pattern="^rst_[A-Za-z0-9_-]+$"
)
DEVICE_TOKEN = FieldRule(
    "It must be the token of a device.", max_length=128, pattern="^rdv_[A-Za-z0-9_-]+$"
)
# A stored token may be of any form, and a device may be unknown for many reasons.
OPTIONAL_DEVICE_TOKEN = FieldRule(_NO_NUL_REQUIREMENT, max_length=128, pattern=_NO_NUL)
API_KEY = FieldRule("It must be an API key.", max_length=128, pattern="^rsk_[A-Za-z0-9_-]+$")
