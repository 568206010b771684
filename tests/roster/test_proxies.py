"""Header fields of trusted proxies."""

import logging

import pytest

from roster.proxies import ProxyHeaders, parse_address


def seen(trusted=("10.0.0.0/8",), peer="10.0.0.1", **headers):
    """Return the environment that the app gets."""
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "SCRIPT_NAME": ""}
    environ |= {f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()}
    result = []
    ProxyHeaders(lambda environ, _: result.append(environ) or [], trusted)(environ, None)
    return result[0]


class TestParseAddress:
    @pytest.mark.parametrize(
        "text, address",
        [
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7 ", "192.0.2.7"),
            ("192.0.2.7:51234", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ('"[2001:db8::1]:443"', "2001:db8::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
            ("fe80::1%eth0", "fe80::1"),
        ],
    )
    def test_address(self, text, address):
        """Ports, brackets, quotes and scopes are removed; mapped addresses are IPv4."""
        assert str(parse_address(text)) == address

    @pytest.mark.parametrize("text", ["", "unknown", "192.0.2", "192.0.2.7:x", "a.example", "[::1"])
    def test_no_address(self, text):
        """Other texts are no addresses."""
        assert parse_address(text) is None


class TestClient:
    @pytest.mark.parametrize(
        "chain, client",
        [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:51234", "192.0.2.7"),
            ("6.6.6.6, 192.0.2.7", "192.0.2.7"),
            ("6.6.6.6,192.0.2.7,10.1.2.3", "192.0.2.7"),
            ("nonsense, 192.0.2.7", "192.0.2.7"),
            ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("", "10.0.0.1"),
        ],
    )
    def test_chain(self, chain, client):
        """The last address that is not a trusted proxy's is the client's."""
        assert seen(**{"for": chain})["REMOTE_ADDR"] == client

    def test_name(self, caplog):
        """A client without an address keeps the name that the proxy gave it, with a log line."""
        with caplog.at_level(logging.WARNING, "roster"):
            assert seen(**{"for": "6.6.6.6, _hidden"})["REMOTE_ADDR"] == "_hidden"
        assert "'_hidden'" in caplog.text

    @pytest.mark.parametrize("peer", ["::ffff:10.0.0.1", "10.0.0.1"])
    def test_dual_stack(self, peer):
        """An IPv4 proxy is trusted on a dual-stack listener, too."""
        assert seen(peer=peer, **{"for": "192.0.2.7"})["REMOTE_ADDR"] == "192.0.2.7"

    def test_untrusted(self):
        """Header fields of other peers are ignored."""
        environ = seen(peer="192.0.2.1", proto="https", prefix="/evil", **{"for": "6.6.6.6"})

        assert environ["REMOTE_ADDR"] == "192.0.2.1"
        assert (environ["wsgi.url_scheme"], environ["SCRIPT_NAME"]) == ("http", "")

    def test_mapped_client(self):
        """The address of a client on a dual-stack listener is an IPv4 address."""
        assert seen(trusted=(), peer="::ffff:192.0.2.1")["REMOTE_ADDR"] == "192.0.2.1"


class TestScheme:
    @pytest.mark.parametrize(
        "value, scheme",
        [("https", "https"), ("HTTPS", "https"), ("http, https", "https"), ("gopher", "http")],
    )
    def test_scheme(self, value, scheme):
        """The scheme of the nearest proxy is used if it is one of HTTP."""
        assert seen(proto=value)["wsgi.url_scheme"] == scheme


class TestPrefix:
    @pytest.mark.parametrize(
        "value, prefix",
        [
            ("/accounts", "/accounts"),
            ("/accounts/", "/accounts"),
            ("/a/b-c_d.e~f", "/a/b-c_d.e~f"),
            ("/", ""),
            ("//evil.example", ""),
            ("/a//b", ""),
            ("https://evil.example", ""),
            ("/a?b", ""),
            ("/a\r\nb", ""),
        ],
    )
    def test_prefix(self, value, prefix):
        """A prefix is a plain path; anything else is ignored."""
        assert seen(prefix=value)["SCRIPT_NAME"] == prefix


class TestBelowAPath:
    @pytest.fixture
    def below(self, make_app, john):
        """Send a request of john through a proxy that serves Roster below /accounts."""
        client = make_app(trusted_proxies=("127.0.0.1",), rate_limits=False).test_client()

        def send(method, path, **options):
            headers = {
                "X-Forwarded-Prefix": "/accounts",
                "Authorization": f"Bearer {john.token}",
            }
            return client.open(path, method=method, headers=headers, **options)

        return send

    def test_location(self, below):
        """`Location` has the prefix."""
        new = {"username": "ada", "email": "ada@example.com", "password": "seven lanterns on it"}
        response = below("POST", "/v1/users", json=new)

        assert response.headers["Location"] == f"/accounts/v1/users/{response.json['id']}"

    def test_link(self, below, jane):
        """`Link` has the prefix, and the next page is found under the same cursor."""
        response = below("GET", "/v1/users?limit=1")
        cursor = response.json["next_cursor"]

        assert response.headers["Link"].startswith("</accounts/v1/users?")
        assert below("GET", f"/v1/users?limit=1&cursor={cursor}").status_code == 200

    def test_documents(self, below):
        """The documents of the API name the prefix."""
        assert below("GET", "/openapi.json").json["servers"][0]["url"] == "/accounts"
        assert below("GET", "/swagger.json").json["basePath"] == "/accounts"

    def test_pages(self, below):
        """The pages load their files below the prefix."""
        assert "/accounts/docs/static/swagger-ui" in below("GET", "/docs").text
        assert below("GET", "/").headers["Location"] == "/accounts/docs"
