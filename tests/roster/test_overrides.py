"""Templates of the operator: replaced ones, the sandbox, and broken ones."""

import pytest

from models import EmailKind
from roster.config import EmailSettings, SettingError
from roster.email.file_backend import html_of, text_of
from roster.email.render import EmailRenderer, Product
from tests.roster.email.conftest import RESET
from tests.support.page_client import PageClient
from tests.support.person import PASSWORD

SIGN_IN = "pages/sign_in/sign_in.html"
OURS = "<title>Sign in - Roster</title>"
BROKEN = {
    "syntax": "{% block content %}",
    "unknown filter": "{{ name|nothing }}",
    "failure": "{{ 1 // 0 }}",
    "missing include": "{% include 'nothing.html' %}",
    "outside of the folder": "{% include '../../../etc/passwd' %}",
    "itself": "{% extends 'sign_in/sign_in.html' %}",
    "internals": "{{ request.__class__.__mro__[1].__subclasses__() }}",
    "change of a value": "{{ problems.append(1) }}",
    "endless loop": "{% for i in range(10 ** 9) %}{% endfor %}",
}


@pytest.fixture
def folder(tmp_path):
    """Return the folder of the operator."""
    return tmp_path


@pytest.fixture
def write(folder):
    """Return a function that writes a template of the operator."""

    def template(name, text):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return template


@pytest.fixture
def browser(make_app, folder, app, jane):
    """Return a function that returns a browser at a service with the templates written so far."""
    return lambda **settings: PageClient(make_app(templates=folder, **settings))


class TestPages:
    def test_replaced(self, browser, write):
        """A file takes the place of ours with the same name, and all others stay."""
        write(SIGN_IN, "<p>Welcome to {{ name }}</p>")
        here = browser(name="A & B")

        assert here.get("/sign-in").text == "<p>Welcome to A &amp; B</p>"
        assert "<title>Create an account - A &amp; B</title>" in here.get("/sign-up").text

    def test_shared_part(self, browser, write):
        """The base of all pages can be replaced, too."""
        write("pages/base.html", "<main>{% block content %}{% endblock %}</main>")

        assert browser().get("/sign-up").text.startswith("<main>")

    def test_extends_ours(self, browser, write):
        """A template can extend the one that it replaces."""
        write(
            SIGN_IN,
            '{% extends "ours/sign_in/sign_in.html" %}'
            "{% block content %}{{ super() }}<p>Call us.</p>{% endblock %}",
        )
        text = browser().get("/sign-in").text

        assert OURS in text
        assert 'name="password"' in text
        assert "<p>Call us.</p>" in text

    def test_form_works(self, browser, write):
        """The form of a replaced page is accepted."""
        write(SIGN_IN, '{% extends "ours/sign_in/sign_in.html" %}')

        assert browser().sign_in("jane", PASSWORD).get("/account").status_code == 200

    def test_policy_stays(self, browser, write):
        """ASVS 3.4.3: the content security policy does not depend on templates."""
        write(SIGN_IN, "<script>alert(1)</script>")
        policy = browser().get("/sign-in").headers["Content-Security-Policy"]

        assert "script-src 'self';" in policy

    def test_values_are_data(self, browser, write):
        """What users have typed is neither markup nor a template."""
        write("pages/account/profile.html", "{{ caller.user.full_name }}{% include 'part' %}")
        write("pages/part", "{{ caller.user.full_name }}")
        here = browser().sign_in("jane", PASSWORD)
        here.send("/account/email", at="/account/email", do="keep")
        typed = "<b>{{ 7 * 7 }}</b>{% include 'forms.html' %}"
        token = {"csrf_token": here.token_of(here.get("/account/email"))}
        here.post("/account", {**token, "do": "profile", "full_name": typed})
        text = here.get("/account").text

        assert text.count("&lt;b&gt;{{ 7 * 7 }}&lt;/b&gt;{% include") == 2
        assert "<b>" not in text

    def test_no_settings(self, browser, write):
        """ASVS 13.4.1: templates have no access to settings and keys."""
        write(SIGN_IN, "[{{ config }}]")

        assert browser().get("/sign-in").text == "[]"

    @pytest.mark.parametrize(
        "expression", ["caller.user.password_hash", "caller.user.delete()", "caller.user.save()"]
    )
    def test_rows(self, browser, write, jane, expression):
        """A template can neither change a row nor show the hash of a password."""
        write("pages/account/profile.html", "{{ " + expression + " }}")
        text = browser().sign_in("jane", PASSWORD).get("/account").text

        assert "argon2" not in text
        assert jane.get("/v1/users/me").status_code == 200


class TestBroken:
    @pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
    def test_page(self, browser, write, caplog, text):
        """A broken page is replaced by ours, and the log says which and why."""
        write(SIGN_IN, text)
        response = browser().get("/sign-in")

        assert response.status_code == 200
        assert OURS in response.text
        assert "ROSTER_TEMPLATES: sign_in/sign_in.html" in caplog.text

    def test_not_text(self, browser, write, caplog):
        """A file that is not UTF-8 is replaced by ours."""
        write(SIGN_IN, b"\xff\xfe\x00")

        assert OURS in browser().get("/sign-in").text
        assert "ROSTER_TEMPLATES: sign_in/sign_in.html" in caplog.text

    def test_logged_once(self, browser, write, caplog):
        """A page that fails again and again fills no log."""
        write(SIGN_IN, "{{ 1 // 0 }}")
        here = browser()
        here.get("/sign-in")
        here.get("/sign-in")

        assert caplog.text.count("ROSTER_TEMPLATES") == 1

    @pytest.mark.parametrize("ending", ["txt", "html", "subject.txt"])
    def test_email(self, folder, write, caplog, ending):
        """A broken part of an email is replaced by ours: the email is sent."""
        write(f"emails/reset-password.{ending}", "{{ nothing.at_all }}")
        message = EmailRenderer(EmailSettings(), Product(templates=folder)).compose(RESET)

        assert message["Subject"] == "Reset your password"
        assert "A password reset was requested" in text_of(message)
        assert "A password reset was requested" in html_of(message)
        assert f"ROSTER_TEMPLATES: reset-password.{ending}" in caplog.text


class TestEmails:
    def test_replaced(self, folder, write):
        """Subject, text and HTML are replaced one by one."""
        write("emails/reset-password.subject.txt", "{{ name }}: a new\npassword\r\nBcc: x@y.z")
        write("emails/reset-password.html", "<b>{{ username }}</b>{% include 'part.txt' %}")
        write("emails/part.txt", "{{ username }}")
        renderer = EmailRenderer(EmailSettings(), Product("A & B", templates=folder))
        message = renderer.compose(RESET)

        assert message["Subject"] == "A & B: a new password Bcc: x@y.z"
        assert "Bcc" not in message
        assert html_of(message) == f"<b>{RESET.username}</b>{RESET.username}\n"
        assert "A password reset was requested" in text_of(message)

    def test_empty_subject(self, folder, write):
        """An email without a subject has the name of the product as its subject."""
        write("emails/reset-password.subject.txt", " \n")
        renderer = EmailRenderer(EmailSettings(), Product("Acme", templates=folder))

        assert renderer.compose(RESET)["Subject"] == "Acme"

    def test_hostile_value(self, folder, write):
        """Every value in HTML is escaped, whatever the name of the template."""
        write("emails/new-device.html", "{% include 'part.txt' %}")
        write("emails/part.txt", "{{ detail }}")
        renderer = EmailRenderer(EmailSettings(), Product(templates=folder))
        email = type(RESET)(EmailKind.NEW_DEVICE, "a@example.com", "jane", detail="<b>{{ 7*7 }}")

        assert html_of(renderer.compose(email)) == "&lt;b&gt;{{ 7*7 }}\n"


class TestSetting:
    def test_no_folder(self, make_app, tmp_path):
        """A folder that does not exist prevents the start."""
        with pytest.raises(SettingError, match=r"ROSTER_TEMPLATES: .* is not a folder\."):
            make_app(templates=tmp_path / "nothing")
