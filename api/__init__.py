"""The HTTP side of Roster. `create_app` is the only place where the parts are wired together."""

from flask import Flask
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

from api import cli, errors, limits, openapi, pages, responses, services
from api.config import Config
from api.namespaces import build_api
from models import OWASP, Profile, db


def create_app(config: Config | None = None, *, profile: Profile = OWASP) -> Flask:
    """Build the application.

    Args:
        config: The settings; read from the environment if not given.
        profile: The cost of password hashes; anything but the default is for tests.

    Raises:
        SettingError: A setting is missing or wrong.
    """
    config = config or Config.from_env()
    app = Flask(__name__)
    app.config.from_mapping(config.for_flask())
    # A doubled slash is another URL, not a reason to redirect to an address out of `Host`.
    app.url_map.merge_slashes = False

    responses.init_app(app)
    errors.init_app(app)
    db.init_app(app)
    limits.init_app(app, are_on=config.rate_limits)
    services.init_app(app, config, profile)
    cli.init_app(app)
    pages.init_app(app, config.mail)
    api = build_api()
    api.init_app(app)
    openapi.init_app(app, api)
    # Only who is named here is believed about whom a request comes from (ASVS 15.3.4).
    app.wsgi_app = wrap_wsgi_with_proxy_headers(  # type: ignore[method-assign]
        app.wsgi_app, trusted_hosts=list(config.trusted_proxies)
    )

    return app
