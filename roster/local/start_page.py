"""The start page of local mode at `/`: what there is, and demo users to sign in as."""

from flask import Blueprint, Flask, Response

from roster.config import Config
from roster.local.demo import demo_logins
from roster.local.loopback import is_local_request
from web.html import page
from web.languages import use_source

# RESTX's endpoint of `/`, which redirects to the documentation.
_ENDPOINT = "root"


def init_app(app: Flask, config: Config) -> None:
    """Show the page at `/`.

    Args:
        app: The app, with its API.
        config: The settings.
    """

    def show() -> Response:
        use_source()
        # Only this computer sees the password of the demo users.
        users = demo_logins(config) if config.demo and is_local_request() else []
        return page(
            "start/start.html",
            caller=None,
            users=users,
            password=config.demo_password,
            has_docs=config.docs,
            has_mailbox=config.email.folder is not None,
        )

    app.register_blueprint(Blueprint("start_page", __name__, template_folder="templates"))
    app.view_functions[_ENDPOINT] = show
