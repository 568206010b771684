"""A browser without scripts: it keeps cookies, fills in forms, and sends what browsers send."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SESSION_COOKIE = "__Host-roster"
DEVICE_COOKIE = "__Host-roster-device"
FORM_COOKIE = "__Host-roster-form"
ORIGIN = "http://localhost"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}


class _Fields(HTMLParser):
    """Collects the values of the fields of the forms in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.names: list[set[str]] = []
        self.inputs: dict[str, dict[str, str | None]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append({})
            self.names.append(set())
        name = attributes.get("name")
        if tag in ("input", "select", "textarea") and name:
            self.inputs[name] = attributes
            if self.names:
                self.names[-1].add(name)
            is_unchecked = attributes.get("type") == "checkbox" and "checked" not in attributes
            if self.forms and not is_unchecked:
                self.forms[-1][name] = attributes.get("value") or ""


def fields_of(page: TestResponse) -> dict[str, dict[str, str | None]]:
    """Return the attributes of the fields of a page by name."""
    parser = _Fields()
    parser.feed(page.text)
    return parser.inputs


def form_of(page: TestResponse, has: str) -> dict[str, str]:
    """Return the values of the form with a field of this name, as a browser would send them."""
    parser = _Fields()
    parser.feed(page.text)
    [form, *_] = [
        form for form, names in zip(parser.forms, parser.names, strict=True) if has in names
    ]
    return form


def errors_of(page: TestResponse) -> dict[str, str]:
    """Return the texts at the rejected fields by their IDs; the one above the form is `form`."""
    found = re.findall(r'id="([a-z_-]+)-error">([^<]*)<', page.text)
    above = re.findall(r'class="alert" role="alert">(?:<p>)?([^<]*)<', page.text)
    return dict([*found, *(("form", text) for text in above)])


class PageClient:
    """A browser at the pages of an app.

    Args:
        app: The app.
    """

    def __init__(self, app: Flask) -> None:
        # Pages are not in the API description.
        self.http = FlaskClient(app, app.response_class, use_cookies=True)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.http.get(path, **options)

    def post(self, path: str, data: dict[str, Any], **options: Any) -> TestResponse:
        """Send a form as a page of the service would, and do not follow redirects."""
        headers = {**OWN, **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return self.http.post(path, data=data, headers=headers, **options)

    def send(self, path: str, *, at: str | None = None, **fields: Any) -> TestResponse:
        """Open the page with a form, fill it in and send it.

        Args:
            path: The URL of the form.
            at: The URL of the page that has it, if that is another one.
            fields: What is typed.
        """
        page = self.get(at or path)
        assert page.status_code == 200, page.status
        return self.post(path, {"csrf_token": self.token_of(page), **fields})

    def token_of(self, page: TestResponse) -> str:
        """Return the token of the forms in a page."""
        found = re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', page.text)
        assert found, page.text
        return str(found[-1])

    def sign_in(self, login: str, password: str) -> "PageClient":
        """Sign in by the page."""
        response = self.send("/sign-in", login=login, password=password)
        assert response.status_code == 303, response.text
        return self

    def cookie(self, name: str = SESSION_COOKIE) -> str | None:
        """Return the value of a cookie."""
        found = self.http.get_cookie(name)
        return found.value if found else None

    def set_cookie(self, value: str, name: str = SESSION_COOKIE) -> None:
        """Replace a cookie."""
        self.http.set_cookie(name, value, domain="localhost")


def location(response: TestResponse) -> str:
    """Return where a redirect leads to: a path of the service, or the URL of another one."""
    assert response.status_code == 303, response.text
    return urljoin(response.request.url, response.headers["Location"]).removeprefix(ORIGIN)
