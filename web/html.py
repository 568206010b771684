"""Responses with HTML and their security headers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, flash, render_template
from markupsafe import Markup

from api.services import accounts
from web.branding import image_sources, logo_url
from web.browser_session import find_caller
from web.forms import Form
from web.languages import page_language
from web.links import link_to, origins, relative
from web.settings import page_settings

# A page runs scripts of this origin, connects to it only, and must not be framed. Pico's styles
# hold a few small images.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src {images} data:;"
    " connect-src 'self'; base-uri 'none'; form-action {targets}; frame-ancestors 'none'"
)


def page(template: str, policy: str | None = None, **values: Any) -> Response:
    """Render a template as a page that is not cached and sends no referrer to others.

    Args:
        template: The template.
        policy: The content security policy, with `{images}` where images may be from; by default
            that of pages with forms.
        values: What the template shows.
    """
    has_forms = policy is None
    settings = page_settings()
    # Browsers hold redirects after a form to the policy, too.
    targets = " ".join(["'self'", *dict.fromkeys(origins(settings.app_urls))])
    policy = (policy or _PAGE_POLICY).format(images=image_sources(), targets=targets)
    text = render_template(
        template,
        name=settings.name,
        language=page_language(),
        logo=logo_url(),
        has_colors=bool(settings.branding.colors),
        has_usernames=accounts.usernames.are_on,
        support_url=settings.branding.support_url,
        local_links=[(label, relative(path)) for label, path in settings.local_links],
        **values,
    )
    response = html(text, policy)
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if has_forms:
        # With no-referrer, browsers would hide the origin of our own forms, too.
        response.headers["Referrer-Policy"] = "same-origin"
    return response


def form_page(template: str, form: Form, **values: Any) -> Response:
    """Render a page with a form, and with the status of its rejection if it was rejected."""
    response = page(template, form=form, caller=find_caller(), **values)
    if form.errors:
        response.status_code = form.status_code
        response.headers.extend(form.response_headers)
    return response


def time_tag(moment: datetime | None) -> Markup:
    """Return a timestamp as an element, in UTC to the minute; a dash without one."""
    if moment is None:
        return Markup("&ndash;")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    exact = moment.isoformat()[:19]
    # Nothing in it needs to be escaped.
    text = f'<time datetime="{exact}+00:00">{exact[:10]} {exact[11:16]} UTC</time>'
    return Markup(text)  # nosec B704


def json_text(value: Mapping[str, Any] | None) -> str:
    """Return an object as indented JSON; nothing for an empty one."""
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def html(text: str, policy: str) -> Response:
    """Return a response with a complete HTML document."""
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def go_to(url: str, notice: str | None = None) -> Response:
    """Return a redirect that a browser follows with GET, so that a reload repeats nothing.

    Args:
        url: The URL, absolute or relative to the current page.
        notice: The key of a sentence in `notices.html` for the next page.
    """
    if notice:
        flash(notice)
    response = Response(status=303)
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "no-store"
    return response


def go_to_page(endpoint: str, notice: str | None = None, **values: Any) -> Response:
    """Return a redirect to one of our pages."""
    return go_to(link_to(endpoint, **values), notice)
