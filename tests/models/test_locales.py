"""The language tags of users."""

import pytest

from models.errors import InvalidField
from models.locales import normalize_locale

# From RFC 5646: sections 2.1.1 and 2.2, and appendix A.
CANONICAL = [
    "de",
    "mas",
    "fr-CA",
    "en-CA-x-ca",
    "az-Latn-x-latn",
    "zh-Hans-CN",
    "zh-cmn-Hans-CN",
    "sl-rozaj-biske-1994",
    "de-CH-1901",
    "de-CH-x-phonebk",
    "es-419",
    "en-US-u-islamcal",
    "zh-CN-a-myext-x-private",
    "en-a-myext-b-another",
    "th-TH-u-nu-thai-ca-buddhist",
    "x-whatever",
    "qaa-Qaaa-QM-x-southern",
    "hy-Latn-IT-arevela",
    "de-Latn-DE-1996-a-bb-x-c",
    "de-1abc",
]
MALFORMED = [
    "",
    "d",
    "-",
    "de-",
    "-de",
    "de--DE",
    "de_DE",
    "de DE",
    " de",
    "de\n",
    "de-DE.UTF-8",
    "de-DE@euro",
    "C.UTF-8",
    "*",
    "de;q=1",
    "a-DE",
    "de-419-DE",
    "ar-a-aaa-b-bbb-",
    "de-x",
    "x-",
    "en-u",
    "i-klingon",
    "sgn-BE-FR",
    "de-abcdefghi",
    "\u0434\u0435",
    "d\u0435",
    "\uff44\uff45",
    "de-\u017f\u017f",
    "de\u202e",
    "de\x00",
    "../de",
    "<script>",
    "x" * 65,
    "x-" + "-".join("a" * 40),
    "de" + "-aaaaa" * 11,
]


class TestNormalize:
    @pytest.mark.parametrize("tag", CANONICAL)
    def test_canonical(self, tag):
        """A tag in the case of RFC 5646 stays as it is."""
        assert normalize_locale(tag) == tag

    @pytest.mark.parametrize("tag", CANONICAL)
    def test_other_case(self, tag):
        """A tag in capitals or small letters is stored in the case of RFC 5646."""
        assert {normalize_locale(tag.upper()), normalize_locale(tag.lower())} == {tag}

    @pytest.mark.parametrize("tag", MALFORMED)
    def test_malformed(self, tag):
        """A text that is no language tag, or a longer one, is rejected at its field."""
        with pytest.raises(InvalidField, match="language tag") as rejected:
            normalize_locale(tag)

        assert rejected.value.field == "locale"

    def test_longest(self):
        """A tag of 64 characters is accepted."""
        tag = "de" + "-variant1" * 6 + "-variant"

        assert len(tag) == 64
        assert normalize_locale(tag) == tag

    def test_none(self):
        """A user may have none."""
        assert normalize_locale(None) is None
