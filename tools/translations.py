"""Update and compile the catalogs of the pages and emails: `python tools/translations.py`.

Texts are extracted from the code and from the templates. A new one has no translation until it is
written into the catalogs, `web/translations/*/LC_MESSAGES/messages.po`; one that has gone is
removed. The compiled catalogs are committed, so that neither a start nor an image needs Babel.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "web/translations"
LANGUAGES = ("de", "es", "fr")
# Pages of local mode are for developers, and are English.
_SOURCES = ("web", "roster/email")
_METHODS = [("**.py", "python"), ("**/templates/**.*", "jinja2")]
# A template with an error must not lose its texts silently.
_OPTIONS = {"**/templates/**.*": {"silent": "false"}}
_KEYWORDS = {**DEFAULT_KEYWORDS, "translate": None, "mark": None}
# The same texts make the same file.
_DATE = datetime(2026, 1, 1, tzinfo=UTC)

Text = str | tuple[str, str]


def path_of(language: str) -> Path:
    """Return the path of the catalog of a language; the compiled one ends with `.mo`."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def extract() -> Iterator[Text]:
    """Yield the texts of pages and emails, with the plural where there is one."""
    for source in _SOURCES:
        found = extract_from_dir(
            ROOT / source, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS
        )
        for _file, _line, text, _comments, _context in found:
            yield tuple(text[:2]) if isinstance(text, tuple) else text


def update(language: str, texts: list[Text]) -> Catalog:
    """Return the catalog of a language with these texts, and the translations that it has."""
    with path_of(language).open("rb") as file:
        before = read_po(file, locale=language)
    catalog = Catalog(
        locale=language,
        project="Roster",
        version="",
        header_comment=f"# Translations of Roster: {language}.",
        msgid_bugs_address="none",
        last_translator="none",
        language_team="none",
        creation_date=_DATE,
        revision_date=_DATE,
        fuzzy=False,
    )
    for text in texts:
        known = before.get(text[0] if isinstance(text, tuple) else text)
        catalog.add(text, known.string if known else None)
    return catalog


def as_source(catalog: Catalog) -> bytes:
    """Return the text of a catalog."""
    file = io.BytesIO()
    write_po(file, catalog, width=100)
    return file.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """Return the compiled form of a catalog."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def missing(catalog: Catalog) -> list[Text]:
    """Return the texts without a translation."""
    return [
        message.id
        for message in catalog
        if message.id and not (all(message.string) if message.pluralizable else message.string)
    ]


def main() -> None:
    """Update and compile all catalogs; the exit status is 1 if a translation is missing."""
    texts = list(dict.fromkeys(extract()))
    is_complete = True
    for language in LANGUAGES:
        catalog = update(language, texts)
        path_of(language).write_bytes(as_source(catalog))
        path_of(language).with_suffix(".mo").write_bytes(compiled(catalog))
        for text in missing(catalog):
            is_complete = False
            print(f"{path_of(language).relative_to(ROOT)}: no translation of {text!r}")
    sys.exit(0 if is_complete else 1)


if __name__ == "__main__":
    main()
