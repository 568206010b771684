"""Requests of pages on other origins, and OPTIONS."""

import pytest

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization, content-type",
}


@pytest.fixture
def browser(make_app):
    """A client of a service that allows one origin."""
    return make_app(cors_origins=(ORIGIN, "http://localhost:3000")).test_client()


def cors_headers(response):
    """Return the CORS headers of a response."""
    return {name for name, _ in response.headers if name.startswith("Access-Control-")}


class TestDisabled:
    @pytest.mark.parametrize("method", ["GET", "OPTIONS"])
    def test_no_headers(self, client, method):
        """By default no response has CORS headers."""
        response = client.open("/v1/users/me", method=method, headers=PREFLIGHT)

        assert cors_headers(response) == set()
        assert "Origin" not in response.headers.get("Vary", "")


class TestPreflight:
    def test_allowed(self, browser):
        """The preflight of an allowed origin names methods and headers for 10 minutes."""
        response = browser.options("/v1/users/me", headers=PREFLIGHT)

        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert response.headers["Access-Control-Max-Age"] == "600"

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "https://app.example.com.evil.example",
            "https://app.example.com:8443",
            "http://app.example.com",
            "https://APP.example.com",
            "null",
            "*",
            "",
        ],
    )
    def test_other_origin(self, browser, origin):
        """Any other origin is neither allowed nor reflected."""
        response = browser.options("/v1/users/me", headers={**PREFLIGHT, "Origin": origin})

        assert cors_headers(response) == set()
        assert "Origin" in response.headers["Vary"]


class TestResponses:
    @pytest.mark.parametrize("path, status", [("/v1/users/me", 401), ("/nowhere", 404)])
    def test_errors(self, browser, path, status):
        """Errors can be read by the page, too."""
        response = browser.get(path, headers={"Origin": ORIGIN})

        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "WWW-Authenticate" in response.headers["Access-Control-Expose-Headers"]

    def test_no_credentials(self, browser):
        """Cookies and client certificates are never allowed."""
        for method in ("GET", "OPTIONS"):
            response = browser.open("/v1/users/me", method=method, headers=PREFLIGHT)

            assert "Access-Control-Allow-Credentials" not in response.headers

    def test_vary(self, browser):
        """Every response varies by origin, also without one."""
        assert "Origin" in browser.get("/v1/users/me").headers["Vary"]


class TestOptions:
    @pytest.mark.parametrize(
        "path, patch", [("/v1/users/me", True), ("/v1/users", False), ("/health/live", False)]
    )
    def test_empty(self, client, path, patch):
        """OPTIONS has no body and no content type; `Accept-Patch` names the types of a patch."""
        response = client.options(path)

        assert (response.status_code, response.data) == (204, b"")
        assert "Content-Type" not in response.headers
        assert "OPTIONS" in response.headers["Allow"]
        assert ("Accept-Patch" in response.headers) is patch
