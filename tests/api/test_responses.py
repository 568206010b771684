"""Headers of every response: request id, caching and MIME sniffing."""

import re

import pytest


class TestRequestId:
    @pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 128])
    def test_is_kept(self, tableless_client, given):
        """A valid request id of the client is in the header and in the problem."""
        response = tableless_client.get("/nothing", headers={"X-Request-Id": given})

        assert response.headers["X-Request-Id"] == given
        assert response.json["request_id"] == given

    @pytest.mark.parametrize(
        "given", ["", "x" * 129, "a b", "a\nb", "a\r\nSet-Cookie: x=1", "a/b", "é", "a\n", "${x}"]
    )
    def test_is_replaced(self, tableless_client, given):
        """Any other id, such as one that forges a log line, is replaced (ASVS 16.4.1)."""
        response = tableless_client.get("/nothing", environ_overrides={"HTTP_X_REQUEST_ID": given})

        assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-Id"])
        assert response.json["request_id"] == response.headers["X-Request-Id"]

    def test_is_unique(self, tableless_client):
        """Requests without an id get different ones."""
        first, second = tableless_client.get("/nothing"), tableless_client.get("/nothing")

        assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/health/live", "/docs", "/", "/nothing", "/v1/users", "/swagger.json"]
    )
    def test_on_every_response(self, tableless_client, path):
        """Each response forbids sniffing, frames and referrers (ASVS 3.4.4, 3.4.5, 3.4.6)."""
        response = tableless_client.get(path)

        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Referrer-Policy"] == "no-referrer"

        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Request-Id"]

    @pytest.mark.parametrize("path", ["/v1/users", "/v1/nothing", "/v1/sessions", "/v1/users/me"])
    def test_nothing_about_users_is_cached(self, tableless_client, path):
        """Responses under /v1 are not cacheable, errors included (CVE-2023-30861, ASVS 14.3.2)."""
        assert tableless_client.get(path).headers["Cache-Control"] == "no-store"
