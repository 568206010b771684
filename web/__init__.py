"""Pages for people, rendered by the server, on the services that the API calls."""

from flask import Blueprint, Flask, Response, request

from web import (
    account,
    admin,
    branding,
    browser_session,
    cross_site,
    errors,
    languages,
    password_check,
    problems,
    security_txt,
    sign_in,
)
from web.forms import attributes_of
from web.html import json_text, time_tag
from web.links import link_to
from web.settings import PageSettings, keep
from web.texts import client_scope_text, error_text, value_text
from web.user_agents import agent_text

# What templates call. A filter is called directly, a function by way of the context of the
# template, which takes longer: it matters for each cell of a table.
_FILTERS = {
    "client_scope_text": client_scope_text,
    "error_text": error_text,
    "json_text": json_text,
    "time_tag": time_tag,
    "value_text": value_text,
}
_FUNCTIONS = {
    "link_to": link_to,
    "attributes_of": attributes_of,
    "agent_text": agent_text,
    **_FILTERS,
}


def init_app(app: Flask, settings: PageSettings) -> None:
    """Add the pages, which are not part of the API and its description."""
    app.extensions.update(keep(settings))
    browser_session.init_app(app, keys=settings.form_keys, is_secure=settings.is_secure)
    cross_site.init_app(app, key=settings.form_keys[0] if settings.form_keys else b"")
    languages.install(app.jinja_env)
    app.jinja_env.filters.update(_FILTERS)
    # Templates of operators must not show secrets.
    app.jinja_env.globals.pop("config", None)

    pages = Blueprint(
        "web",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    pages.before_request(cross_site.reject_cross_site)
    pages.after_request(browser_session.add_cookies)
    pages.after_request(_vary)
    pages.app_context_processor(lambda: _FUNCTIONS)
    errors.init_pages(pages)
    sign_in.add_pages(pages)
    account.add_pages(pages)
    admin.add_pages(pages)
    problems.add_pages(pages)
    branding.add_files(pages, settings.branding)
    errors.add_pages(pages)
    password_check.add_page(pages)
    security_txt.add_page(pages, contact=settings.security_contact, base_url=settings.base_url)
    app.register_blueprint(pages)


def _vary(response: Response) -> Response:
    # CVE-2023-30861: no cache may show the page of one browser to another.
    if browser_session.is_page(request.path):
        response.vary.update(("Cookie", "Accept-Language"))
    return response
