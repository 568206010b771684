"""mod_auth_openidc, a certified module of Apache, as a resource server by introspection."""

import http.client
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.test_gateways import sign_in
from tests.processes.test_reverse_proxies import is_listening
from tests.support.certificates import make_authority
from tests.support.process_harness import HERE, ProcessHarness, Running, call, free_port, wait_for

MODULES = Path("/usr/lib/apache2/modules")
APACHE = shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    not (APACHE and NGINX and (MODULES / "mod_auth_openidc.so").exists()),
    reason="Debian packages apache2, libapache2-mod-auth-openidc and nginx; the check of each"
    " change installs them",
)
# The module asks by HTTPS only.
TLS_FRONT = """\
user root; daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{ proxy_pass http://127.0.0.1:{roster}; }}
  }}
}}
"""
# By default the module keeps the response until the token ends; a negative interval means never.
PROTECTED = """\
ServerName localhost
User www-data
Group www-data
ServerRoot {folder}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
LogLevel warn
Listen 127.0.0.1:{port}
DocumentRoot {site}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
OIDCOAuthIntrospectionEndpoint https://localhost:{tls}/oauth/introspect
OIDCOAuthClientID {client_id}
OIDCOAuthClientSecret {client_secret}
OIDCOAuthIntrospectionEndpointAuth client_secret_basic
OIDCOAuthTokenIntrospectionInterval -1
OIDCOAuthRemoteUserClaim sub
OIDCCABundlePath {bundle}
OIDCCryptoPassphrase only-for-this-test
<Location "/">
  AuthType oauth20
  Require valid-user
  Header set X-Remote-User "expr=%{{REMOTE_USER}}"
</Location>
<Location "/admins">
  Require claim roles:admin
</Location>
"""


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[ProcessHarness]:
    """A harness for the servers of this module."""
    harness = ProcessHarness(Path(tmp_path_factory.mktemp("apache")), transport, is_covered=False)
    yield harness
    harness.close()


@pytest.fixture(scope="module")
def roster(harness: ProcessHarness) -> Running:
    """Roster with the demo users."""
    return harness.serve()


@pytest.fixture(scope="module")
def tls(harness: ProcessHarness, roster: Running, tmp_path_factory: pytest.TempPathFactory):
    """Return the port of nginx with a certificate in front of Roster, and the certificates."""
    folder = tmp_path_factory.mktemp("nginx")
    authority = make_authority(folder)
    certificate, key = authority.issue(folder, "localhost")
    port = free_port()
    text = TLS_FRONT.format(
        folder=folder, port=port, certificate=certificate, key=key, roster=roster.port
    )
    (folder / "nginx.conf").write_text(text)
    front = harness.start(NGINX, "-p", folder, "-c", folder / "nginx.conf", port=port)
    wait_for(lambda: is_listening(front.port), "nginx listens")
    return port, authority.bundle


@pytest.fixture(scope="module")
def site() -> Iterator[Path]:
    """Return a folder that Apache can read, which is not root while it serves."""
    with tempfile.TemporaryDirectory(prefix="roster-apache-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def apache(harness: ProcessHarness, roster: Running, tls, site, tmp_path_factory) -> Running:
    """Apache with a client of Roster."""
    client = call(
        roster.port,
        "POST",
        "/v1/clients",
        {"name": "apache", "scopes": ["introspect"]},
        token=sign_in(roster, "john")["token"],
    ).body
    folder = tmp_path_factory.mktemp("apache")
    for path in ("", "admins"):
        (site / path).mkdir(exist_ok=True)
        (site / path / "orders.txt").write_text("the orders")
    port, (tls_port, bundle) = free_port(), tls
    shutil.copy(bundle, site)
    config = PROTECTED.format(
        folder=folder,
        port=port,
        modules=MODULES,
        tls=tls_port,
        bundle=site / bundle.name,
        site=site,
        client_id=client["id"],
        client_secret=client["secret"],
    )
    (folder / "apache.conf").write_text(config)
    running = harness.start(
        APACHE, "-d", folder, "-f", folder / "apache.conf", "-DFOREGROUND", port=port
    )
    wait_for(lambda: is_listening(running.port), "Apache listens")
    return running


def ask(apache: Running, token: str | None, path: str = "/orders.txt"):
    """Return the status, the user that Apache has found, and the body of a response."""
    connection = http.client.HTTPConnection(HERE, apache.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.headers["X-Remote-User"], body


class TestOauth20:
    def test_active(self, apache, roster):
        """The user of an active token is REMOTE_USER."""
        session = sign_in(roster, "jane")
        status, user, body = ask(apache, session["token"])

        assert (status, body) == (200, "the orders")
        assert user == session["user"]["id"]

    @pytest.mark.parametrize("token", [None, "x", "rst_" + "A" * 54])
    def test_not_active(self, apache, token):
        """A request without an active token is rejected."""
        assert ask(apache, token)[0] == 401

    def test_signed_out(self, apache, roster):
        """The token of a session that has ended is rejected."""
        token = sign_in(roster, "jane")["token"]
        before = ask(apache, token)[0]
        call(roster.port, "DELETE", "/v1/sessions/current", token=token)

        assert (before, ask(apache, token)[0]) == (200, 401)

    @pytest.mark.parametrize("login, status", [("john", 200), ("jane", 401)])
    def test_roles(self, apache, roster, login, status):
        """Roles are claims that Apache can require."""
        token = sign_in(roster, login)["token"]

        assert ask(apache, token, "/admins/orders.txt")[0] == status
