"""Text without the differences that a search ignores: letter case, accents, width, direction."""

import unicodedata

LAST = "\U0010ffff"
# Letters that Unicode does not decompose, although people write them without the stroke.
_LETTERS = str.maketrans(
    {
        # Not a character; it sorts after all of them.
        LAST: "",
        **{
            "ø": "o",
            "ł": "l",
            "đ": "d",
            "ħ": "h",
            "ŧ": "t",
            "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        },
        **{"æ": "ae", "œ": "oe", "ð": "d", "þ": "th"},
    }
)
# Marks that combine with a letter, and characters that are not visible: those that join letters or
# change the direction of a text (UAX 9), controls, and halves of surrogate pairs.
_IGNORED = frozenset({"Mn", "Me", "Cf", "Cc", "Cs"})


def fold(text: str) -> str:
    """Return a text for comparisons: without case and accents, with single spaces.

    `fold("  Ælfric of   EYNSHÁM")` is `"aelfric of eynsham"`. What is folded stays as it is if it
    is folded again. Punctuation counts, and `%`, `*` and `_` are characters like others.
    """
    # Folding the case can yield characters that decompose, and decomposing some that have a case.
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    visible = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFKD", text)
        if char.isspace() or unicodedata.category(char) not in _IGNORED
    )
    return " ".join("".join(visible).split())
