"""Pages for people, rendered by the server. They call the API or the services beneath it."""

from flask import Blueprint, Flask

from web import account


def init_app(app: Flask) -> None:
    """Add the pages. They are no part of the API and of its description."""
    pages = Blueprint(
        "web",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    account.add_pages(pages)
    app.register_blueprint(pages)
