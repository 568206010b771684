"""The content of emails: texts, links, recipients, and hostile values."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from jinja2 import UndefinedError

from models import Email, EmailKind
from roster.config import EmailSettings
from roster.email.file_backend import html_of, link_of, text_of
from roster.email.render import PAGES, EmailRenderer, Product
from tests.roster.email.conftest import CHANGED, RESET, TOKEN

HOSTILE = '"><script>alert(1)</script>\r\nBcc: eve@example.com\r\n\r\nYour account is closed'
WITH_DETAIL = {
    EmailKind.EMAIL_CHANGE_REQUESTED,
    EmailKind.EMAIL_CHANGED,
    EmailKind.RECOVERY_CODE_USED,
    EmailKind.API_KEY_CREATED,
    EmailKind.USERNAME_CHANGED,
    EmailKind.ADMIN_ADDED,
    EmailKind.NEW_DEVICE,
    EmailKind.ROLES_CHANGED,
    EmailKind.ACCOUNT_MERGED,
}


def email_of(kind, **fields):
    token = {"token": TOKEN, "minutes": 10} if kind in PAGES else {}
    return Email(kind, "jane@example.com", **{"username": "jane", **token, **fields})


class TestLanguage:
    @pytest.mark.parametrize(
        "locale, language",
        [
            ("de", "de"),
            ("de-CH", "de"),
            ("es-419", "es"),
            ("en-GB", "en"),
            ("pl", "fr"),
            ("x-de", "fr"),
            (None, "fr"),
        ],
    )
    def test_of_the_user(self, settings, locale, language):
        """An email is in the language of the user, else in that of the setting: all parts."""
        renderer = EmailRenderer(settings, Product(language="fr"))
        english = email_of(EmailKind.RESET_PASSWORD, minutes=120)
        message = renderer.compose(replace(english, locale=locale))
        expected = EmailRenderer(settings, Product(language=language)).compose(english)

        assert message["Subject"] == expected["Subject"]
        assert (text_of(message), html_of(message)) == (text_of(expected), html_of(expected))
        assert f'<html lang="{language}">' in html_of(message)

    def test_one_after_the_other(self, settings):
        """An email does not change the language of the next one."""
        renderer = EmailRenderer(settings)
        email = email_of(EmailKind.RESET_PASSWORD)
        first = renderer.compose(email)
        renderer.compose(replace(email, locale="de"))

        assert renderer.compose(email)["Subject"] == first["Subject"] == "Reset your password"


@pytest.mark.parametrize("kind", EmailKind)
class TestEveryKind:
    def test_text_and_html(self, renderer, kind):
        """Each email has a text and an HTML part with the username and the service's URL."""
        message = renderer.compose(email_of(kind))

        assert message.get_content_type() == "multipart/alternative"
        for text in (text_of(message), html_of(message)):
            assert "Hello jane," in text
            assert "https://accounts.example.org" in text
            assert "None" not in text

    def test_says_what_to_do_if_not_requested(self, renderer, kind):
        """Each email says what to do if the user did not request it."""
        message = renderer.compose(email_of(kind))

        for text in (text_of(message), html_of(message)):
            assert re.search(r"If\s+(this\s+was\s+not\s+you|you\s+did\s+not)", text)

    def test_headers(self, renderer, kind):
        """Each email has the headers of automated email."""
        message = renderer.compose(email_of(kind))

        assert message["From"] == "Roster <accounts@example.org>"
        assert message["To"] == "jane@example.com"
        assert message["Subject"] in html_of(message)
        assert message["Auto-Submitted"] == "auto-generated"
        assert re.fullmatch(r"<[^@\s]+@example\.org>", message["Message-ID"])
        assert datetime.now(UTC) - message["Date"].datetime < timedelta(minutes=1)

    @pytest.mark.parametrize("field", ["username", "detail"])
    def test_hostile_values(self, renderer, kind, field):
        """Values chosen by users become neither markup, nor a header, nor a separate line."""
        message = renderer.compose(email_of(kind, **{field: HOSTILE}))

        assert "<script>" not in html_of(message)
        assert "Bcc" not in message
        assert [part["Bcc"] for part in message.walk() if "Bcc" in part] == []
        assert not re.search(r"^\s*(Bcc|Your account is closed)", text_of(message), re.MULTILINE)

    def test_merged(self, renderer, kind):
        """M4: an email that stands for several says how many."""
        single = renderer.compose(email_of(kind))
        merged = renderer.compose(email_of(kind, count=40, hours=2))

        for part in (text_of, html_of):
            assert "This happened" not in part(single)
            assert "This happened 40 times within the last 2 hours." in part(merged)

    def test_without_username(self, renderer, kind):
        """M4: an email to an address that may belong to another person has no username."""
        message = renderer.compose(email_of(kind, username=""))

        for text in (text_of(message), html_of(message)):
            assert "Hello," in text

    def test_detail(self, renderer, kind):
        """Some kinds include a detail, such as a new address or a key's name; others do not."""
        message = renderer.compose(email_of(kind, detail="the nightly export"))

        assert ("the nightly export" in text_of(message)) is (kind in WITH_DETAIL)
        assert ("the nightly export" in html_of(message)) is (kind in WITH_DETAIL)

    def test_no_token_in_notifications(self, renderer, kind):
        """A notification never contains a token, even if it is given one."""
        message = renderer.compose(email_of(kind, token=TOKEN))

        assert (TOKEN in message.as_string()) is (kind in PAGES)


class TestLink:
    @pytest.mark.parametrize(
        "kind, page",
        [
            (EmailKind.VERIFY_EMAIL, "verify-email"),
            (EmailKind.CONFIRM_EMAIL_CHANGE, "verify-email"),
            (EmailKind.RESET_PASSWORD, "reset-password"),
        ],
    )
    def test_token_is_in_the_fragment(self, renderer, kind, page):
        """ASVS 14.2.1: the token is in the fragment, which browsers do not send to servers."""
        message = renderer.compose(email_of(kind))
        link = f"https://accounts.example.org/{page}#token={TOKEN}"

        assert link_of(message) == link
        assert f'href="{link}"' in html_of(message)

    def test_token_alone(self, renderer):
        """For users of the API, the token has its own line."""
        assert TOKEN in text_of(renderer.compose(RESET)).splitlines()

    def test_odd_token(self, renderer):
        """Special characters of a token are percent-encoded."""
        message = renderer.compose(replace(RESET, token="a+b/c=d&token=e"))

        assert link_of(message).endswith("/reset-password#token=a%2Bb%2Fc%3Dd%26token%3De")

    def test_link_is_not_wrapped(self, renderer):
        """A long link is not wrapped in the raw email."""
        message = renderer.compose(replace(RESET, token="x" * 200))

        assert f"/reset-password#token={'x' * 200}\r\n" in message.as_string()

    def test_name(self, settings):
        """ROSTER_NAME is the name of the product in emails, as data and not as markup."""
        message = EmailRenderer(settings, Product("A & B <Co>")).compose(RESET)

        assert "A & B <Co>, http" in text_of(message)
        assert "A &amp; B &lt;Co&gt;, http" in html_of(message)

    def test_support(self, settings):
        """ROSTER_SUPPORT_URL is in every email."""
        message = EmailRenderer(settings, Product(support_url="https://help.example.org/?a&b"))
        email = message.compose(RESET)

        assert "Help: https://help.example.org/?a&b\n" in text_of(email)
        assert 'href="https://help.example.org/?a&amp;b"' in html_of(email)

    def test_color(self, settings):
        """ROSTER_COLOR is the color of the button."""
        message = EmailRenderer(settings, Product(color="#6a1b9a")).compose(RESET)

        assert "background: #6a1b9a; color: #ffffff" in html_of(message)

    def test_path_of_the_service(self, settings):
        """Links keep the path of the public URL."""
        below = EmailRenderer(replace(settings, base_url="https://example.org/accounts"))

        assert link_of(below.compose(RESET)).startswith("https://example.org/accounts/reset-")

    @pytest.mark.parametrize(
        "header",
        ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded"],
    )
    def test_poisoned_request(self, renderer, header):
        """CVE-2023-49097, GHSA-3529-5m8x-rpv3: no header of a request changes a link."""
        poison = {"Forwarded": "host=evil.example"}.get(header, "evil.example")
        with Flask("any").test_request_context(headers={header: poison}):
            message = renderer.compose(RESET)

        assert "evil" not in message.as_string()
        assert link_of(message).startswith("https://accounts.example.org/reset-password#")

    @pytest.mark.parametrize("token", [None, ""])
    def test_no_token(self, renderer, token):
        """An email whose link needs a token is not rendered without one."""
        with pytest.raises(ValueError, match="reset-password"):
            renderer.compose(replace(RESET, token=token))


class TestLifetime:
    @pytest.mark.parametrize(
        "minutes, words",
        [
            (1, "1 minute"),
            (10, "10 minutes"),
            (60, "60 minutes"),
            (90, "90 minutes"),
            (120, "2 hours"),
            (1440, "24 hours"),
            (4320, "3 days"),
        ],
    )
    def test_in_words(self, renderer, minutes, words):
        """The email states the lifetime of its token in words."""
        message = renderer.compose(replace(RESET, minutes=minutes))

        assert f"expires in {words}." in text_of(message)
        assert f"expires in {words}." in html_of(message)

    def test_unknown(self, renderer):
        """Without a lifetime the sentence about it is left out."""
        assert "This link can be used once. " in text_of(
            renderer.compose(replace(RESET, minutes=None))
        )


class TestAddresses:
    @pytest.mark.parametrize(
        "to",
        [
            "jane@example.com",
            "o'neil+tag@example.com",
            "jane.doe!#$%&'*/=?^_`{|}~-@example.com",
            "jörg@example.com",
            "用户@example.com",
        ],
    )
    def test_is_unchanged(self, renderer, to):
        """The email goes to the stored address only."""
        [address] = renderer.compose(replace(CHANGED, to=to))["To"].addresses

        assert address.addr_spec == to

    @pytest.mark.parametrize(
        "to, ascii",
        [("jane@bücher.example", "jane@xn--bcher-kva.example"),
         ("jane@straße.example", "jane@xn--strae-oqa.example")],
    )  # fmt: skip
    def test_domain_outside_ascii(self, renderer, to, ascii):
        """A domain is encoded by IDNA 2008; IDNA 2003 would send the email to strasse."""
        [address] = renderer.compose(replace(CHANGED, to=to))["To"].addresses

        assert address.addr_spec == ascii

    @pytest.mark.parametrize(
        "to",
        [
            "jane@example.com\r\nBcc: eve@example.com",
            "jane@example.com\nBcc: eve@example.com",
            "jane@example.com\0",
            "jane@example.com, eve@example.com",
            "jane@example.com\u2028eve",
            "jane",
            "@example.com",
            "jane@",
            "",
        ],
    )
    def test_invalid(self, renderer, to):
        """Text that could start another header or add a recipient is rejected."""
        with pytest.raises(ValueError):
            renderer.compose(replace(CHANGED, to=to))

    def test_comma_or_bracket_adds_no_recipient(self, renderer):
        """Special characters of a header are quoted: the address stays one address."""
        message = renderer.compose(replace(CHANGED, to="<eve@example.com>,jane@example.com"))

        [address] = message["To"].addresses
        assert address.domain == "example.com"
        assert message["To"].startswith('"<eve@example.com>,jane"')

    def test_sender_outside_ascii(self):
        """A sender's name may contain any characters; it is encoded in ASCII."""
        message = EmailRenderer(EmailSettings(sender="Röster <accounts@example.org>")).compose(
            CHANGED
        )

        raw = message.as_bytes()
        assert raw.isascii()
        assert message["From"].addresses[0].display_name == "Röster"


class TestTemplates:
    def test_undefined_variable(self, renderer):
        """A template with an undefined variable fails instead of rendering nothing."""
        with pytest.raises(UndefinedError):
            renderer._environment("en", False).from_string("{{ undefined_variable }}").render()

    def test_values_outside_ascii(self, renderer):
        """Names with any characters are in both parts; the raw email is ASCII."""
        message = renderer.compose(email_of(EmailKind.API_KEY_CREATED, detail="Schlüssel 鍵"))

        assert message.as_bytes().isascii()
        assert "Schlüssel 鍵" in text_of(message)
        assert "Schlüssel 鍵" in html_of(message)

    def test_long_values(self, renderer):
        """No line is longer than SMTP allows (RFC 5321, 4.5.3.1.6)."""
        message = renderer.compose(email_of(EmailKind.API_KEY_CREATED, detail="x" * 5000))

        assert max(map(len, message.as_bytes().split(b"\r\n"))) <= 998
