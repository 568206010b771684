"""The contrast of colors by the formula of WCAG 2.2, and readable colors of the same hue."""

# WCAG 2.2 AA, success criterion 1.4.3: text of normal size.
MIN_CONTRAST = 4.5
# The backgrounds of text in `pages.css` and in Pico that are hardest to read on: the page in light
# mode, the card in dark mode.
LIGHT_BACKGROUND = "#f3f5f8"
DARK_BACKGROUND = "#181c25"
_STEPS = 100


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors such as `#0b57d0`: from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def darkened(color: str) -> str:
    """Return the color, or the lightest darker one of its hue that is readable on light pages."""
    return _mixed(color, 0, LIGHT_BACKGROUND)


def lightened(color: str) -> str:
    """Return the color, or the darkest lighter one of its hue that is readable on dark pages."""
    return _mixed(color, 255, DARK_BACKGROUND)


def _mixed(color: str, target: int, background: str) -> str:
    mixtures = (_mix(color, target, step / _STEPS) for step in range(_STEPS + 1))
    return next(mix for mix in mixtures if contrast(mix, background) >= MIN_CONTRAST)


def _mix(color: str, target: int, share: float) -> str:
    return "#" + "".join(f"{round(part + (target - part) * share):02x}" for part in _parts(color))


def _luminance(color: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (part / 255 for part in _parts(color))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color[1:]))
