"""The mailbox of local mode: HTML for people, JSON for scripts."""

from dataclasses import replace

import pytest

from models import Email, EmailKind
from roster.email.file_backend import FileBackend
from roster.email.render import EmailRenderer
from tests.roster.email.conftest import CHANGED, RESET, TOKEN

HERE = "http://127.0.0.1:8080"
JSON = {"Accept": "application/json"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mail"


@pytest.fixture
def reader(config, make_app, folder):
    """A client of a service in local mode."""
    return make_app(email=replace(config.email, folder=folder)).test_client()


@pytest.fixture
def write_email(config, folder):
    """Write an email to the folder and return its ID."""
    backend = FileBackend(folder)

    def deliver(email):
        backend.deliver(EmailRenderer(config.email).compose(email))
        return backend.ids()[0]

    return deliver


class TestList:
    def test_empty(self, reader):
        """Without emails the page says so."""
        page = reader.get("/dev/mail", base_url=HERE)

        assert page.status_code == 200
        assert "There are no emails yet." in page.text
        assert reader.get("/dev/mail", base_url=HERE, headers=JSON).json == []

    def test_newest_first(self, reader, write_email):
        """The newest email is at the top."""
        write_email(RESET)
        write_email(CHANGED)

        text = reader.get("/dev/mail", base_url=HERE).text
        assert text.index("Your password has changed") < text.index("Reset your password")

    def test_for_scripts(self, reader, write_email):
        """A script reads the newest token with one request."""
        id = write_email(RESET)

        response = reader.get("/dev/mail", base_url=HERE, headers=JSON)
        [mail] = response.json
        assert mail.keys() == {"id", "to", "subject", "date", "text", "link"}
        assert (mail["id"], mail["to"]) == (id, "jane@example.com")
        assert mail["subject"] == "Reset your password"
        assert mail["date"].endswith("Z")
        assert mail["link"] == f"http://127.0.0.1:8080/reset-password#token={TOKEN}"
        assert f"\n{TOKEN}\n" in mail["text"]
        assert "Accept" in response.vary

    @pytest.mark.parametrize("headers", [{}, JSON])
    def test_not_stored(self, reader, write_email, headers):
        """ASVS 14.3.2: the emails are not cached."""
        write_email(RESET)

        response = reader.get("/dev/mail", base_url=HERE, headers=headers)
        assert response.headers["Cache-Control"] == "no-store"


class TestEmail:
    def test_text_and_link(self, reader, write_email):
        """An email is shown as text, with a clickable link."""
        page = reader.get(f"/dev/mail/{write_email(RESET)}", base_url=HERE)

        assert page.status_code == 200
        assert f'<a href="http://127.0.0.1:8080/reset-password#token={TOKEN}">' in page.text
        assert "Hello jane," in page.text

    def test_html(self, reader, write_email):
        """The HTML of an email is shown in a sandbox without scripts."""
        page = reader.get(f"/dev/mail/{write_email(RESET)}/html", base_url=HERE)

        assert "Hello jane," in page.text
        rules = page.headers["Content-Security-Policy"].split("; ")
        assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(rules)

    @pytest.mark.parametrize("path", ["", "/{id}"])
    def test_policy(self, reader, write_email, path):
        """The pages run no scripts."""
        id = write_email(RESET)

        page = reader.get("/dev/mail" + path.format(id=id), base_url=HERE)
        rules = page.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "style-src 'self'"} <= set(rules)
        assert not any(rule.startswith("script-src") for rule in rules)
        assert page.headers["Referrer-Policy"] == "no-referrer"

    @pytest.mark.parametrize("path", ["", "/{id}", "/{id}/html"])
    def test_hostile_values(self, reader, write_email, path):
        """Values chosen by users are escaped."""
        id = write_email(
            Email(EmailKind.API_KEY_CREATED, "jane@example.com", "jane", detail="<script>x")
        )

        page = reader.get("/dev/mail" + path.format(id=id), base_url=HERE)
        assert page.status_code == 200
        assert "<script" not in page.text

    @pytest.mark.parametrize("suffix", ["", "/html"])
    @pytest.mark.parametrize(
        "id",
        [
            "20260102T030405000000-00000000",
            "../secret-key",
            "..%2fsecret-key",
            "%2e%2e/%2e%2e/etc/passwd",
            "..\\secret-key",
            "x",
        ],
    )
    def test_unknown_email(self, reader, write_email, folder, id, suffix):
        """Only IDs are mapped to files; anything else is a 404."""
        write_email(RESET)
        (folder.parent / "secret-key").write_text("hunter2")

        response = reader.get(f"/dev/mail/{id}{suffix}", base_url=HERE)
        assert response.status_code == 404
        assert response.json["type"] == "/problems/not-found"


class TestWhoMayRead:
    @pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
    @pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
    def test_local_client(self, reader, address, host):
        """Clients on this computer can read the emails."""
        response = reader.get(
            "/dev/mail", base_url=f"http://{host}", environ_base={"REMOTE_ADDR": address}
        )

        assert response.status_code == 200

    @pytest.mark.parametrize("path", ["", "/{id}", "/{id}/html"])
    @pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "", "nonsense"])
    def test_other_client(self, reader, write_email, path, address):
        """ASVS 13.4.5: other clients get a 404, as for an unknown URL."""
        path = "/dev/mail" + path.format(id=write_email(RESET))
        other_client = {"REMOTE_ADDR": address}

        response = reader.get(path, base_url=HERE, environ_base=other_client)
        unknown = reader.get("/dev/nothing", base_url=HERE, environ_base=other_client)
        assert response.status_code == 404
        assert response.json["detail"] == unknown.json["detail"]

    @pytest.mark.parametrize(
        "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"]
    )
    def test_proxy(self, reader, write_email, header):
        """Requests from a proxy on this computer get a 404, since their client is unknown."""
        write_email(RESET)

        response = reader.get("/dev/mail", base_url=HERE, headers={header: "127.0.0.1"})
        assert response.status_code == 404

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil"])
    def test_other_host_name(self, reader, write_email, host):
        """DNS rebinding: a web page whose host name resolves to this computer reads nothing."""
        write_email(RESET)

        assert reader.get("/dev/mail", base_url=f"http://{host}").status_code == 404

    @pytest.mark.parametrize("path", ["/dev/mail", "/dev/mail/x", "/dev/mail/x/html"])
    def test_not_in_production(self, tableless_client, path):
        """ASVS 13.4.2: without an email folder the page does not exist."""
        response = tableless_client.get(path, base_url=HERE)

        assert response.status_code == 404
        assert response.json["type"] == "/problems/not-found"
