"""A user of the tests: an account and a way to make requests as it."""

from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Client

PASSWORD = "seven lanterns on the pier"
NEW_PASSWORD = "a stone bridge over the river"
# The client that each user has signed in with when a test begins.
DEVICE = Client(ip="127.0.0.1", user_agent="a browser")
# The client of tests below HTTP.
CLIENT = Client("192.0.2.1", "a browser")


@dataclass
class Person:
    """A user with an account and a client."""

    client: FlaskClient
    # What the user signs in with: the email address of a user without a username.
    username: str
    roles: list[str] = field(default_factory=lambda: ["user"])
    password: str = PASSWORD
    id: str = ""
    etag: str = ""
    token: str = ""
    session_id: str = ""

    def sign_in(self) -> "Person":
        """Open a session and use it from now on."""
        answer = self.client.post(
            "/v1/sessions", json={"login": self.username, "password": self.password}
        )
        assert answer.status_code == 201, answer.json
        self.token, self.session_id = answer.json["token"], answer.json["id"]
        return self

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        return self.request("PATCH", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.request("DELETE", path, **options)

    @property
    def path(self) -> str:
        return f"/v1/users/{self.id}"
