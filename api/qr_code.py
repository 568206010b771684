"""QR codes; the only module that imports `segno`."""

import re

import segno

# Four pixels per module make a square of about 5 cm, which a camera reads from close up.
_PIXELS_PER_MODULE = 4


def qr_code(text: str, title: str = "QR code for an authenticator") -> str:
    """Render a text as an SVG image, dark on light in every color scheme, as cameras require.

    Args:
        text: What a camera reads.
        title: What a screen reader says.
    """
    svg = segno.make_qr(text, error="m").svg_inline(
        scale=_PIXELS_PER_MODULE,
        dark="#000",
        light="#fff",
        title=title,
        svgclass=None,
        lineclass=None,
    )
    # As a standalone file it needs the namespace that HTML implies, and a view box to be scaled.
    return re.sub(
        r'<svg (width="(\d+)" height="(\d+)")',
        r'<svg xmlns="http://www.w3.org/2000/svg" role="img" \1 viewBox="0 0 \2 \3"',
        svg,
        count=1,
    )
