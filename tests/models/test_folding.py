"""Text as a search compares it."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ada Lovelace", "ada lovelace"),
        ("Zoë", "zoe"),
        ("Zoe\u0308", "zoe"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("Łukasz Wałęsa", "lukasz walesa"),
        ("Søren Ærø", "soren aero"),
        ("Đorđe", "dorde"),
        ("İstanbul", "istanbul"),
        ("\N{LATIN SMALL LETTER DOTLESS I}stanbul", "istanbul"),
        ("\uff21\uff44\uff41", "ada"),
        ("ﬁona", "fiona"),
        ("Σίσυφος", "σισυφοσ"),
        ("Ёлкин", "елкин"),
        ("  Ada \u00a0\n Lovelace\t", "ada lovelace"),
        ("\u202eecalevoL\u202c ad\u00adA\u200b", "ecalevol ada"),
        ("a\u0000b\u0007c", "abc"),
        ("e\u0301\u0302\u0303\u20dd", "e"),
        ("50%_*?\\", "50%_*?\\"),
        ("\u0301\u0302", ""),
        ("a\U0010ffffb\U0010fffdc", "ab\U0010fffdc"),
        ("", ""),
    ],
)
def test_fold(text: str, folded: str):
    """Case, accents, width and hidden characters do not count; punctuation does."""
    assert fold(text) == folded


@given(st.text())
def test_is_idempotent(text: str):
    """A folded text stays as it is."""
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("plane", range(17))
def test_every_character(plane: int):
    """Every character of Unicode folds to characters that stay as they are."""
    code_points = range(plane * 0x10000, min((plane + 1) * 0x10000, sys.maxunicode + 1))
    folded = {fold(chr(code_point)) for code_point in code_points}

    assert {fold(text) for text in folded} == folded


@given(st.text())
def test_has_no_hidden_character(text: str):
    """Nothing that is not visible is left, and no space at the ends or beside another one."""
    folded = fold(text)

    assert folded == " ".join(folded.split())
    assert all(char == " " or char.isprintable() or ord(char) > 127 for char in folded)
