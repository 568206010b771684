"""What mails say, to whom, and what nobody can make them say."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from jinja2 import UndefinedError

from models import Email, EmailKind
from roster.config import EmailSettings
from roster.email.file_backend import html_of, link_of, text_of
from roster.email.render import PAGES, SUBJECTS, EmailRenderer
from tests.roster.email.conftest import CHANGED, RESET, TOKEN

HOSTILE = '"><script>alert(1)</script>\r\nBcc: eve@example.com\r\n\r\nYour account is closed'
TELLING = {
    EmailKind.EMAIL_CHANGE_REQUESTED,
    EmailKind.EMAIL_CHANGED,
    EmailKind.RECOVERY_CODE_USED,
    EmailKind.API_KEY_CREATED,
}


def mail_of(kind, **members):
    token = {"token": TOKEN, "minutes": 10} if kind in PAGES else {}
    return Email(kind, "jane@example.com", **{"username": "jane", **token, **members})


@pytest.mark.parametrize("kind", EmailKind)
class TestEveryKind:
    def test_text_and_html(self, composer, kind):
        """Each mail has a text and an HTML part that name the account and the service."""
        message = composer.compose(mail_of(kind))

        assert message.get_content_type() == "multipart/alternative"
        for said in (text_of(message), html_of(message)):
            assert "Hello jane," in said
            assert "https://accounts.example.org" in said
            assert "None" not in said

    def test_says_what_to_do_if_it_was_somebody_else(self, composer, kind):
        """Each mail tells who did nothing of the kind what to do."""
        message = composer.compose(mail_of(kind))

        for said in (text_of(message), html_of(message)):
            assert re.search(r"If\s+(it\s+was\s+not\s+you|you\s+did\s+not)", said)

    def test_headers(self, composer, kind):
        """Each mail has what mail servers and readers expect of a program's mail."""
        message = composer.compose(mail_of(kind))

        assert message["From"] == "Roster <accounts@example.org>"
        assert message["To"] == "jane@example.com"
        assert message["Subject"] == SUBJECTS[kind]
        assert message["Auto-Submitted"] == "auto-generated"
        assert re.fullmatch(r"<[^@\s]+@example\.org>", message["Message-ID"])
        assert datetime.now(UTC) - message["Date"].datetime < timedelta(minutes=1)

    @pytest.mark.parametrize("member", ["username", "detail"])
    def test_hostile_words(self, composer, kind, member):
        """What somebody has chosen is neither markup, nor a header, nor a line of its own."""
        message = composer.compose(mail_of(kind, **{member: HOSTILE}))

        assert "<script>" not in html_of(message)
        assert "Bcc" not in message
        assert [part["Bcc"] for part in message.walk() if "Bcc" in part] == []
        assert not re.search(r"^\s*(Bcc|Your account is closed)", text_of(message), re.MULTILINE)

    def test_detail_is_told(self, composer, kind):
        """A new address, a key's name and what is left are told; other mails have no detail."""
        message = composer.compose(mail_of(kind, detail="the nightly export"))

        assert ("the nightly export" in text_of(message)) is (kind in TELLING)
        assert ("the nightly export" in html_of(message)) is (kind in TELLING)

    def test_token_only_where_it_belongs(self, composer, kind):
        """A mail that only tells never carries a token, even if it is given one."""
        message = composer.compose(mail_of(kind, token=TOKEN))

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
    def test_token_is_in_the_fragment(self, composer, kind, page):
        """ASVS 14.2.1: the token stands behind the #, which no server is sent."""
        message = composer.compose(mail_of(kind))
        link = f"https://accounts.example.org/{page}#token={TOKEN}"

        assert link_of(message) == link
        assert f'href="{link}"' in html_of(message)

    def test_token_alone(self, composer):
        """Who uses the API finds the token on a line of its own."""
        assert TOKEN in text_of(composer.compose(RESET)).splitlines()

    def test_odd_token(self, composer):
        """Whatever a token is made of, it stays one value of the link."""
        message = composer.compose(replace(RESET, token="a+b/c=d&token=e"))

        assert link_of(message).endswith("/reset-password#token=a%2Bb%2Fc%3Dd%26token%3De")

    def test_link_is_whole_in_the_raw_mail(self, composer):
        """Who reads the raw mail can copy a long link."""
        message = composer.compose(replace(RESET, token="x" * 200))

        assert f"/reset-password#token={'x' * 200}\r\n" in message.as_string()

    def test_path_of_the_service(self, settings):
        """A service below a path is linked to below it."""
        below = EmailRenderer(replace(settings, base_url="https://example.org/accounts"))

        assert link_of(below.compose(RESET)).startswith("https://example.org/accounts/reset-")

    @pytest.mark.parametrize(
        "header",
        ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded"],
    )
    def test_poisoned_request(self, composer, header):
        """CVE-2023-49097, GHSA-3529-5m8x-rpv3: no header of a request changes a link."""
        poison = {"Forwarded": "host=evil.example"}.get(header, "evil.example")
        with Flask("any").test_request_context(headers={header: poison}):
            message = composer.compose(RESET)

        assert "evil" not in message.as_string()
        assert link_of(message).startswith("https://accounts.example.org/reset-password#")

    @pytest.mark.parametrize("token", [None, ""])
    def test_no_token(self, composer, token):
        """A mail whose link would lead nowhere is not written."""
        with pytest.raises(ValueError, match="reset-password"):
            composer.compose(replace(RESET, token=token))


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
    def test_in_words(self, composer, minutes, words):
        """The mail says for how long its token works, in words that people use."""
        message = composer.compose(replace(RESET, minutes=minutes))

        assert f"for {words}." in text_of(message)
        assert f"for {words}." in html_of(message)

    def test_unknown(self, composer):
        """Where it is not known, nothing is said about it."""
        assert "It works once. " in text_of(composer.compose(replace(RESET, minutes=None)))


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
    def test_stays_what_it_is(self, composer, to):
        """The mail goes to the address as it is stored, and to it alone."""
        [address] = composer.compose(replace(CHANGED, to=to))["To"].addresses

        assert address.addr_spec == to

    @pytest.mark.parametrize(
        "to, ascii",
        [("jane@bücher.example", "jane@xn--bcher-kva.example"),
         ("jane@straße.example", "jane@xn--strae-oqa.example")],
    )  # fmt: skip
    def test_domain_outside_ascii(self, composer, to, ascii):
        """A domain goes in its IDNA 2008 form; under IDNA 2003 the mail would go to strasse."""
        [address] = composer.compose(replace(CHANGED, to=to))["To"].addresses

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
    def test_cannot_be_an_address(self, composer, to):
        """What could begin another header or add a recipient is no address."""
        with pytest.raises(ValueError):
            composer.compose(replace(CHANGED, to=to))

    def test_comma_or_bracket_adds_nobody(self, composer):
        """What is special in a header is quoted: it stays one address."""
        message = composer.compose(replace(CHANGED, to="<eve@example.com>,jane@example.com"))

        [address] = message["To"].addresses
        assert address.domain == "example.com"
        assert message["To"].startswith('"<eve@example.com>,jane"')

    def test_sender_outside_ascii(self):
        """A sender's name may have any letters; it is encoded as every server understands it."""
        message = EmailRenderer(EmailSettings(sender="Röster <accounts@example.org>")).compose(
            CHANGED
        )

        raw = message.as_bytes()
        assert raw.isascii()
        assert message["From"].addresses[0].display_name == "Röster"


class TestTemplates:
    def test_a_value_that_is_missing(self, composer):
        """A template that names what it is not given fails instead of leaving a gap."""
        with pytest.raises(UndefinedError):
            composer._templates.from_string("{{ nobody_gives_this }}").render()

    def test_words_outside_ascii(self, composer):
        """Names of any letters arrive in both parts, in mails of ASCII alone."""
        message = composer.compose(mail_of(EmailKind.API_KEY_CREATED, detail="Schlüssel 鍵"))

        assert message.as_bytes().isascii()
        assert "Schlüssel 鍵" in text_of(message)
        assert "Schlüssel 鍵" in html_of(message)

    def test_long_words(self, composer):
        """No mail has lines that are longer than SMTP allows (RFC 5321, 4.5.3.1.6)."""
        message = composer.compose(mail_of(EmailKind.API_KEY_CREATED, detail="x" * 5000))

        assert max(map(len, message.as_bytes().split(b"\r\n"))) <= 998
