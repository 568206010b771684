"""HTTP for programs: the REST API, its errors and its description."""

from flask import Flask

from api import docs_page, errors, openapi, rate_limits, responses, services
from api.rest import build_api
from models import Services


def init_app(app: Flask, domain: Services, *, limits_requests: bool = True) -> None:
    """Add the API to an app.

    Args:
        app: The app.
        domain: The services that the routes call.
        limits_requests: Whether requests are limited by route and client.
    """
    responses.init_app(app)
    errors.init_app(app)
    rate_limits.init_app(app, enabled=limits_requests)
    services.init_app(app, domain)
    docs_page.init_app(app)
    api = build_api()
    api.init_app(app)
    openapi.init_app(app, api)
