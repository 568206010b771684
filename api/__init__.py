"""HTTP for programs: the REST API, its errors and its description."""

from collections.abc import Mapping, Sequence

from flask import Flask

from api import (
    cors,
    docs_page,
    errors,
    oauth,
    openapi,
    path_ids,
    rate_limits,
    responses,
    services,
    write_limits,
)
from api.rest import build_api
from api.v1.verify import routes as verify
from models import RateLimit, Services


def init_app(
    app: Flask,
    domain: Services,
    *,
    public_url: str = "",
    limits_requests: bool = True,
    limits: Mapping[str, RateLimit] | None = None,
    exempt_networks: Sequence[str] = (),
    origins: Sequence[str] = (),
    serves_docs: bool = True,
    keeps_tokens: bool = False,
    local_tools: docs_page.LocalTools | None = None,
) -> None:
    """Add the API to an app.

    Args:
        app: The app.
        domain: The services that the routes call.
        public_url: The public URL of the service; empty if there is none.
        limits_requests: Whether requests are limited by route and client.
        limits: The limits of the settings, by their names.
        exempt_networks: The networks of clients without limits by client.
        origins: The origins whose pages may call the API.
        serves_docs: Whether `/docs` and the OpenAPI documents are served.
        keeps_tokens: Whether `/docs` keeps the token of its user in the browser.
        local_tools: What `/docs` offers in local mode; None otherwise.
    """
    cors.init_app(app, origins)
    responses.init_app(app)
    errors.init_app(app, base_url=public_url)
    path_ids.init_app(app)
    rate_limits.init_app(
        app, enabled=limits_requests, limits=limits, exempt_networks=exempt_networks
    )
    writes = (limits or {}).get(write_limits.WRITES.name, write_limits.WRITES)
    write_limits.init_app(app, enabled=limits_requests, limit=writes)
    services.init_app(app, domain)
    docs_page.init_app(app, keeps_tokens=keeps_tokens, local=local_tools)
    oauth.init_app(app, public_url=public_url)
    verify.init_app(app)
    api = build_api()
    api.init_app(app)
    openapi.init_app(app, api)
    if not serves_docs:
        docs_page.hide(app)
