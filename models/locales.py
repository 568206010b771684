"""The language tags of users, in the form that BCP 47 recommends."""

from models import field_rules
from models.errors import InvalidField


def normalize_locale(tag: str | None) -> str | None:
    """Return a language tag as stored: in the letter case of RFC 5646, section 2.1.1.

    Args:
        tag: A well-formed tag in any case; None for a user without one.

    Raises:
        InvalidField: It breaks `field_rules.LOCALE`.
    """
    if tag is None:
        return None
    if not field_rules.LOCALE.matches(tag):
        raise InvalidField("locale", field_rules.LOCALE.requirement)
    first, *others = tag.lower().split("-")
    written = [first]
    is_after_singleton = len(first) == 1
    for subtag in others:
        is_after_singleton = is_after_singleton or len(subtag) == 1
        written.append(subtag if is_after_singleton else _in_case(subtag))
    return "-".join(written)


def _in_case(subtag: str) -> str:
    """Return a subtag after the language: regions are `CH`, scripts are `Latn`."""
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.capitalize() if len(subtag) == 4 else subtag
