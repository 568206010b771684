"""Render one template with sample values; a broken one is an error here."""

import re
from dataclasses import replace
from pathlib import Path

from jinja2 import TemplateError

import web
from models import Email, EmailKind
from roster.app import create_app
from roster.commands.templates.samples import PAGE_SAMPLES
from roster.config import Config
from roster.email import EmailRenderer
from roster.overrides import PAGES
from roster.wiring import product_of
from web.html import page

_STYLES = Path(web.__file__).parent / "static"
_STYLE_LINK = re.compile(r'<link rel="stylesheet" href="[./]*static/([a-z./]+)">')


class NotComplete(Exception):
    """The template is a part of others."""


class PreviewFailed(Exception):
    """The template is broken. The text says why."""


def render(name: str, config: Config, language: str) -> str:
    """Return what a template shows.

    Args:
        name: The name of the template.
        config: The settings.
        language: The language.

    Raises:
        NotComplete: The template is a part of others.
        PreviewFailed: It is broken.
    """
    kind, _, rest = name.partition("/")
    config = replace(config, secret_keys=("unused",), language=language)
    try:
        return _page(rest, config) if kind == PAGES else _email(rest, config)
    except NotComplete:
        raise
    except TemplateError as error:
        raise PreviewFailed(f"{name}: {error}") from None
    except Exception as error:
        raise PreviewFailed(f"{name} failed: {error!r}") from None


def _email(name: str, config: Config) -> str:
    stem, _, ending = name.partition(".")
    if stem not in list(EmailKind):
        raise NotComplete
    token = "sample-token"
    email = Email(EmailKind(stem), "jane@example.com", "jane", token, minutes=10, detail="Sample")
    renderer = EmailRenderer(config.email, product_of(config), falls_back=False)
    return renderer.preview(email, ending)


def _page(name: str, config: Config) -> str:
    if name not in PAGE_SAMPLES:
        raise NotComplete
    app = create_app(config, replaces_broken_templates=False)
    with app.test_request_context(PAGE_SAMPLES[name].path):
        text = page(name, **PAGE_SAMPLES[name].values()).get_data(as_text=True)
    return _STYLE_LINK.sub(_inline, text)


def _inline(link: "re.Match[str]") -> str:
    """Return the style itself, so that the page looks the same when it is opened as a file."""
    return f"<style>\n{(_STYLES / link[1]).read_text()}</style>"
