"""The mails of local mode, as a person or a script reads them."""

from dataclasses import replace

import pytest

from models import Email, EmailKind
from roster.email.file_backend import FileBackend
from roster.email.render import EmailRenderer
from tests.roster.email.conftest import CHANGED, RESET, TOKEN

HERE = "http://127.0.0.1:8080"
JSON = {"Accept": "application/json"}


@pytest.fixture
def box(tmp_path):
    return tmp_path / "mail"


@pytest.fixture
def reader(config, make_app, box):
    """A client of a service in local mode."""
    return make_app(mail=replace(config.mail, folder=box)).test_client()


@pytest.fixture
def put(config, box):
    """Puts a mail into the folder and returns its id."""
    folder = FileBackend(box)

    def deliver(mail):
        folder.deliver(EmailRenderer(config.mail).compose(mail))
        return folder.ids()[0]

    return deliver


class TestList:
    def test_empty(self, reader):
        """Before the first mail there is a page that says so."""
        page = reader.get("/dev/mail", base_url=HERE)

        assert page.status_code == 200
        assert "There is none yet." in page.text
        assert reader.get("/dev/mail", base_url=HERE, headers=JSON).json == []

    def test_newest_first(self, reader, put):
        """The newest mail stands at the top."""
        put(RESET)
        put(CHANGED)

        text = reader.get("/dev/mail", base_url=HERE).text
        assert text.index("Your password has changed") < text.index("Reset your password")

    def test_for_scripts(self, reader, put):
        """A script reads the newest token with one request."""
        id = put(RESET)

        answer = reader.get("/dev/mail", base_url=HERE, headers=JSON)
        [mail] = answer.json
        assert mail.keys() == {"id", "to", "subject", "date", "text", "link"}
        assert (mail["id"], mail["to"]) == (id, "jane@example.com")
        assert mail["subject"] == "Reset your password"
        assert mail["date"].endswith("Z")
        assert mail["link"] == f"http://127.0.0.1:8080/reset-password#token={TOKEN}"
        assert f"\n{TOKEN}\n" in mail["text"]
        assert "Accept" in answer.vary

    @pytest.mark.parametrize("headers", [{}, JSON])
    def test_not_stored(self, reader, put, headers):
        """ASVS 14.3.2: the mails stay in no cache."""
        put(RESET)

        answer = reader.get("/dev/mail", base_url=HERE, headers=headers)
        assert answer.headers["Cache-Control"] == "no-store"


class TestMail:
    def test_text_and_link(self, reader, put):
        """A mail is shown as text, with its link to follow."""
        page = reader.get(f"/dev/mail/{put(RESET)}", base_url=HERE)

        assert page.status_code == 200
        assert f'<a href="http://127.0.0.1:8080/reset-password#token={TOKEN}">' in page.text
        assert "Hello jane," in page.text

    def test_html(self, reader, put):
        """A mail is shown as readers of mail show it, in a sandbox that runs nothing."""
        page = reader.get(f"/dev/mail/{put(RESET)}/html", base_url=HERE)

        assert "Hello jane," in page.text
        rules = page.headers["Content-Security-Policy"].split("; ")
        assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(rules)

    @pytest.mark.parametrize("path", ["", "/{id}"])
    def test_policy(self, reader, put, path):
        """The pages run nothing at all."""
        id = put(RESET)

        page = reader.get("/dev/mail" + path.format(id=id), base_url=HERE)
        rules = page.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "style-src 'self'"} <= set(rules)
        assert not any(rule.startswith("script-src") for rule in rules)
        assert page.headers["Referrer-Policy"] == "no-referrer"

    @pytest.mark.parametrize("path", ["", "/{id}", "/{id}/html"])
    def test_hostile_words(self, reader, put, path):
        """What somebody has chosen shows as what it is."""
        id = put(Email(EmailKind.API_KEY_CREATED, "jane@example.com", "jane", detail="<script>x"))

        page = reader.get("/dev/mail" + path.format(id=id), base_url=HERE)
        assert page.status_code == 200
        assert "<script" not in page.text

    @pytest.mark.parametrize("more", ["", "/html"])
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
    def test_no_such_mail(self, reader, put, box, id, more):
        """Only ids lead to files: whoever asks for anything else is told that there is nothing."""
        put(RESET)
        (box.parent / "secret-key").write_text("hunter2")

        answer = reader.get(f"/dev/mail/{id}{more}", base_url=HERE)
        assert answer.status_code == 404
        assert answer.json["type"] == "/problems/not-found"


class TestWhoMayRead:
    @pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
    @pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
    def test_from_here(self, reader, address, host):
        """Whoever sits at the computer reads the mails."""
        answer = reader.get(
            "/dev/mail", base_url=f"http://{host}", environ_base={"REMOTE_ADDR": address}
        )

        assert answer.status_code == 200

    @pytest.mark.parametrize("path", ["", "/{id}", "/{id}/html"])
    @pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "", "nonsense"])
    def test_from_elsewhere(self, reader, put, path, address):
        """ASVS 13.4.5: for others there is nothing, not even a refusal."""
        path = "/dev/mail" + path.format(id=put(RESET))
        elsewhere = {"REMOTE_ADDR": address}

        answer = reader.get(path, base_url=HERE, environ_base=elsewhere)
        nothing = reader.get("/dev/nothing", base_url=HERE, environ_base=elsewhere)
        assert answer.status_code == 404
        assert answer.json["detail"] == nothing.json["detail"]

    @pytest.mark.parametrize(
        "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"]
    )
    def test_by_a_proxy(self, reader, put, header):
        """A proxy on this computer asks for somebody whom nobody knows, whatever it says."""
        put(RESET)

        answer = reader.get("/dev/mail", base_url=HERE, headers={header: "127.0.0.1"})
        assert answer.status_code == 404

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil"])
    def test_under_a_foreign_name(self, reader, put, host):
        """DNS rebinding: a page elsewhere whose name leads here for a moment reads nothing."""
        put(RESET)

        assert reader.get("/dev/mail", base_url=f"http://{host}").status_code == 404

    @pytest.mark.parametrize("path", ["/dev/mail", "/dev/mail/x", "/dev/mail/x/html"])
    def test_not_in_production(self, anybody, path):
        """ASVS 13.4.2: without a folder of mails there is no such page."""
        answer = anybody.get(path, base_url=HERE)

        assert answer.status_code == 404
        assert answer.json["type"] == "/problems/not-found"
