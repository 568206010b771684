"""The languages of pages and emails: which one, and its texts.

The catalogs are those of gettext, in `translations/`; `make translations` updates them. The texts
in the code and in the templates are the English ones.
"""

import gettext as _gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from flask import g, has_request_context, request
from jinja2 import Environment, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from web.settings import page_settings

# Each by its own name, in which its speakers find it.
NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}
LANGUAGES = tuple(NAMES)
SOURCE = "en"
FOLDER = Path(__file__).parent / "translations"
DOMAIN = "messages"


@cache
def catalog(language: str) -> _gettext.NullTranslations:
    """Return the texts of a language."""
    if language == SOURCE:
        return _gettext.NullTranslations()
    return _gettext.translation(DOMAIN, FOLDER, [language])


def best_language(*tags: str | None) -> str | None:
    """Return the language of the first of these tags that is one of ours, None without one.

    The language of a tag is meant without its region: of de-CH, it is de (RFC 4647, section 3.4).
    """
    languages = ((tag or "").partition("-")[0].lower() for tag in tags)
    return next((language for language in languages if language in LANGUAGES), None)


def page_language() -> str:
    """Return the language of the current page.

    It is that of the user, else what the browser prefers of those that there are, else that of the
    setting.
    """
    if not has_request_context():
        return SOURCE
    # A page asks once for each of its texts.
    language: str | None = g.get("language")
    if language is None:
        accepted = [tag for tag, quality in request.accept_languages if quality]
        language = g.language = best_language(*accepted) or page_settings().language
    return language


def use_language_of(locale: str | None) -> None:
    """Show the current page in the language of a user, if there is a translation.

    Args:
        locale: The language tag of the user; None for that of the browser.
    """
    language = best_language(locale)
    if language:
        g.language = language
    else:
        g.pop("language", None)


def use_source() -> None:
    """Show the current page in English, in which its text is."""
    g.language = SOURCE


def install(environment: Environment, language: str | None = None) -> None:
    """Translate the texts of templates.

    Args:
        environment: The environment of the templates.
        language: The language; that of the current page by default.
    """
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalog(language or page_language()).gettext(text),
        lambda one, many, count: catalog(language or page_language()).ngettext(one, many, count),
        newstyle=True,
    )
    environment.globals["_"] = _translator(language)


def _translator(language: str | None) -> Callable[..., str]:
    """Return `_` for templates: as that of Jinja, but faster for texts without placeholders."""

    @pass_eval_context
    def text(options: EvalContext, source: str, **values: Any) -> str:
        found = catalog(language or page_language()).gettext(source)
        if options.autoescape:
            # Texts of the catalogs are markup, and values are escaped.
            found = Markup(found)  # nosec B704
        return found % values if values or "%" in found else found

    return text


def translate(text: str, **values: Any) -> str:
    """Return a text in the language of the current page, with values for its placeholders.

    A text that is passed as a variable is marked with `mark` where it is written.
    """
    found = catalog(page_language()).gettext(text)
    return found % values if values else found


def mark(text: str) -> str:
    """Return a text as it is; it is translated where it is shown."""
    return text
