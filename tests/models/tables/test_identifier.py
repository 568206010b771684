"""User names and e-mail addresses: how they are written, and which ones are the same."""

import pytest

from models.errors import InvalidEmail, InvalidField
from models.tables.identifier import (
    email_key,
    login_key,
    normalize_email,
    normalize_username,
)


class TestUsername:
    def test_upper_case(self):
        """A user name may be given in any case and is kept in lower case."""
        assert normalize_username("Ada.Lovelace-1815") == "ada.lovelace-1815"

    @pytest.mark.parametrize(
        "name",
        ["ab", "a" * 33, ".ada", "-ada", "_ada", "ada lovelace", "ada@example", "ada\n", ""],
    )
    def test_bad_form(self, name):
        """Three to 32 letters, digits, dots, underscores, hyphens; a letter or digit first."""
        with pytest.raises(InvalidField):
            normalize_username(name)

    @pytest.mark.parametrize("look_alike", ["\u212aate", "\u017fam", "\u0131an", "\u0430da"])
    def test_look_alike(self, look_alike):
        """Characters that merely look like, or fold to, a letter are refused (CVE-2019-19844)."""
        with pytest.raises(InvalidField):
            normalize_username(look_alike)


class TestEmail:
    def test_domain_case(self):
        """The domain is kept in lower case; the local part as its owner writes it."""
        assert normalize_email("Ada@Example.COM") == "Ada@example.com"

    def test_international(self):
        """An address outside ASCII is an address (RFC 6531)."""
        assert normalize_email("jörg@münchen.example") == "jörg@münchen.example"

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a da@example.com",
            "ada@ex ample.com",
        ],
    )
    def test_bad_form(self, address):
        """What cannot be an address is refused with a reason."""
        with pytest.raises(InvalidEmail):
            normalize_email(address)

    def test_too_long(self):
        """Over 254 characters are refused before any pattern looks at them (CVE-2021-32838)."""
        with pytest.raises(InvalidEmail, match="254"):
            normalize_email("a@" * 50_000 + "example.com")

    def test_kelvin_sign(self):
        """A character that Unicode turns into an ASCII letter is refused."""
        with pytest.raises(InvalidEmail, match="looks like"):
            normalize_email("\u212aate@example.com")


class TestClaim:
    @pytest.mark.parametrize("variant", ["ada@example.com", "ADA@EXAMPLE.COM", "Ada@example.Com"])
    def test_case(self, variant):
        """An email address is reserved once, regardless of case."""
        assert login_key(variant) == "email#ada@example.com"

    @pytest.mark.parametrize("variant", ["\u0131an@example.com", "\u017fam@example.com"])
    def test_unicode_folding(self, variant):
        """No character outside ASCII is ever folded onto one inside (CVE-2019-19844)."""
        assert not email_key(variant).isascii()

    def test_dotted_capital_i(self):
        """U+0130, whose lower case begins with an ASCII i, is not changed."""
        assert "\u0130" in email_key("\u0130an@example.com")

    def test_composed_and_decomposed(self):
        """Two ways to write one accented letter are one address."""
        assert login_key("jo\u0308rg@example.com") == login_key("j\u00f6rg@example.com")

    def test_username(self):
        """A login without an @ is a user name."""
        assert login_key("Ada") == "username#ada"

    @pytest.mark.parametrize("login", ["", "a", "a@b", "two words", "x" * 300, "\ud800@x.com"])
    def test_impossible_login(self, login):
        """An impossible login has no reservation key."""
        assert login_key(login) is None
