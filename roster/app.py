"""Build the web application: the services, the API and the pages."""

from flask import Flask

import api
import web
from models import OWASP_PROFILE, Profile, SecretKeys, db
from roster.config import Config
from roster.local import docs_tools, mailbox, start_page
from roster.overrides import PAGES, PageEnvironment
from roster.proxies import ProxyHeaders
from roster.wiring import build_services
from web.settings import Branding, PageSettings


def create_app(
    config: Config | None = None,
    *,
    profile: Profile = OWASP_PROFILE,
    replaces_broken_templates: bool = True,
) -> Flask:
    """Build the application.

    Args:
        config: The settings; read from the environment if not given.
        profile: The cost of password hashes; only tests choose another one.
        replaces_broken_templates: Whether ours takes the place of an operator's broken template.

    Raises:
        SettingError: A setting is missing or wrong.
    """
    config = config or Config.from_env()
    app = Flask("roster", static_folder=None)
    app.config.from_mapping(config.for_flask())
    if config.templates:
        app.jinja_environment = PageEnvironment
    # A doubled slash is another URL, not a reason to redirect to an address built from `Host`.
    app.url_map.merge_slashes = False

    db.init_app(app)
    api.init_app(
        app,
        build_services(config, profile=profile),
        public_url=config.email.public_url,
        limits_requests=config.rate_limits,
        limits=config.limits.by_name(),
        exempt_networks=config.limits.exempt,
        origins=config.cors_origins,
        serves_docs=config.docs,
        keeps_tokens=config.is_local,
        local_tools=docs_tools.build(config) if config.is_local else None,
    )
    web.init_app(app, _page_settings(config))
    if config.is_local:
        start_page.init_app(app, config)
    # Without an email folder these URLs do not exist: nothing can be left open by mistake.
    if config.email.folder is not None:
        mailbox.init_app(app, config.email.folder)
    if config.templates:
        app.jinja_env.autoescape = True
        app.jinja_env.override(  # type: ignore[attr-defined]
            config.templates / PAGES, falls_back=replaces_broken_templates
        )
    app.wsgi_app = ProxyHeaders(  # type: ignore[method-assign]
        app.wsgi_app, config.trusted_proxies
    )

    return app


def _page_settings(config: Config) -> PageSettings:
    return PageSettings(
        name=config.name,
        base_url=config.email.base_url,
        security_contact=config.email.contact,
        app_urls=config.app_urls,
        # Local mode is reached by plain HTTP, which cannot set secure cookies in every browser.
        is_secure=not config.is_local,
        form_keys=tuple(SecretKeys(config.strong_keys).derive("forms of pages")),
        language=config.language,
        branding=Branding(config.logo, config.colors, config.support_url),
        local_links=_local_links(config) if config.is_local else (),
    )


def _local_links(config: Config) -> tuple[tuple[str, str], ...]:
    start = (("start page", "/"),)
    return (*start, ("mailbox", mailbox.PATH)) if config.email.folder is not None else start
