"""The settings of the pages."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import current_app

_EXTENSION = "roster-pages"


@dataclass(frozen=True)
class Branding:
    """What makes the pages those of a product.

    Attributes:
        logo: The URL of an image, or the path of a file with one.
        colors: The color of links and buttons on light pages, and the one on dark pages.
        support_url: Where users get help.
    """

    logo: str | Path | None = None
    colors: tuple[str, ...] = ()
    support_url: str | None = None


@dataclass(frozen=True)
class PageSettings:
    """The settings of the pages.

    Attributes:
        name: The name of the product.
        base_url: The public URL of the service.
        security_contact: The URL of the contact in security.txt.
        app_urls: The applications that people return to, without a slash at the end.
        is_secure: Whether browsers reach the pages by TLS, and cookies are restricted to it.
        form_keys: The keys that sign the cookie and the tokens of forms, the current one first.
        language: The language of pages for browsers that prefer none of those that there are.
        branding: The logo, the colors and the link to help.
        local_links: The names and paths of the pages for developers, in local mode.
    """

    name: str
    base_url: str
    security_contact: str
    app_urls: tuple[str, ...]
    is_secure: bool
    form_keys: tuple[bytes, ...]
    language: str = "en"
    branding: Branding = Branding()
    local_links: tuple[tuple[str, str], ...] = ()


def page_settings() -> PageSettings:
    """Return the settings of the pages of the current app."""
    return cast(PageSettings, current_app.extensions[_EXTENSION])


def keep(settings: PageSettings) -> dict[str, PageSettings]:
    """Return the entry of `app.extensions` in which `page_settings` finds the settings."""
    return {_EXTENSION: settings}
