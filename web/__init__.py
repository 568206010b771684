"""Pages for people, rendered by the server. They call the API or the services beneath it."""

from flask import Blueprint, Flask

from web import account, problems, security_txt


def init_app(app: Flask, *, security_contact: str, base_url: str) -> None:
    """Add the pages, which are not part of the API and its description.

    Args:
        app: The app.
        security_contact: The URL of the contact in security.txt.
        base_url: The public URL of the service.
    """
    pages = Blueprint(
        "web",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    account.add_pages(pages)
    problems.add_pages(pages)
    security_txt.add_page(pages, contact=security_contact, base_url=base_url)
    app.register_blueprint(pages)
