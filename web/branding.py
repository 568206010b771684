"""The logo and the colors of the product, served from this origin."""

from pathlib import Path

from flask import Blueprint, Response, request

from web.links import link_to
from web.settings import Branding, page_settings

MAX_LOGO_BYTES = 100_000
# Opened by its URL, an SVG image is a document: it must run and load nothing.
_IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_SVG_BEGINS_WITHIN = 1000

# The colors of links, buttons and the focus that `pages.css` sets to ours.
_COLORS = """\
:root:not([data-theme="dark"]) {{
  --pico-primary: {light}; --pico-primary-hover: {light}; --pico-primary-underline: {light};
  --pico-primary-background: {light}; --pico-primary-border: {light};
  --pico-primary-hover-background: color-mix(in srgb, {light}, black 20%);
  --pico-primary-hover-border: color-mix(in srgb, {light}, black 20%);
}}
@media (prefers-color-scheme: dark) {{
  :root:not([data-theme="light"]) {{
    --pico-primary: {dark}; --pico-primary-hover: {dark}; --pico-primary-underline: {dark};
    --pico-primary-background: {dark}; --pico-primary-border: {dark};
    --pico-primary-inverse: #11151a;
    --pico-primary-hover-background: color-mix(in srgb, {dark}, white 20%);
    --pico-primary-hover-border: color-mix(in srgb, {dark}, white 20%);
  }}
}}
"""


def add_files(pages: Blueprint, branding: Branding) -> None:
    """Serve the logo, if it is a file, and the colors.

    Raises:
        OSError: The file of the logo cannot be read.
    """
    if isinstance(branding.logo, Path):
        image = branding.logo.read_bytes()
        pages.add_url_rule("/brand/logo", "logo", lambda: _file(image, image_type(image) or ""))
    if branding.colors:
        light, dark = branding.colors
        style = _COLORS.format(light=light, dark=dark).encode()
        pages.add_url_rule("/brand/colors.css", "colors", lambda: _file(style, "text/css"))


def logo_url() -> str | None:
    """Return the URL of the logo, relative to the current page if it is our file."""
    logo = page_settings().branding.logo
    return link_to("web.logo") if isinstance(logo, Path) else logo


def image_sources() -> str:
    """Return where pages may load images from, for their content security policy."""
    logo = page_settings().branding.logo
    return f"'self' {logo}" if isinstance(logo, str) else "'self'"


def image_type(content: bytes) -> str | None:
    """Return the media type of an image by its first bytes, None if it is none that we serve."""
    for start, type in _MAGIC.items():
        if content.startswith(start):
            return type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if b"<svg" in content[:_SVG_BEGINS_WITHIN] else None


def _file(content: bytes, type: str) -> Response:
    response = Response(content, mimetype=type)
    response.headers["Content-Security-Policy"] = _IMAGE_POLICY
    # As our other files: browsers ask whether theirs is current.
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
