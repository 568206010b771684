"""Take pictures of the pages for the documentation, of a service in local mode with demo data.

The trees that screen readers get are written, too; a test compares them.

Usage: python tools/screenshots.py
Needs node, Chromium, pngquant, cwebp and the fonts of Noto; `make screenshots` installs them.
Times, IDs and secrets are replaced by fixed ones, so that a picture changes with its page only.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from api.qr_code import qr_code  # noqa: E402
from tests.support.process_harness import DEMO_PASSWORD, ProcessHarness  # noqa: E402

DRIVER = PROJECT / "tests" / "browser" / "screenshots.mjs"
IMAGES = PROJECT / "docs" / "images" / "pages"
TREES = PROJECT / "tests" / "browser" / "trees"
PAGE = PROJECT / "docs" / "screenshots.md"
LOOKS = ("light", "dark", "phone")
# Instead of that of a run.
_URI = "otpauth://totp/Roster:kim?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Roster"
# As the page names it.
_QR_CODE = qr_code(_URI, "QR code for an authenticator app")
_COLORS = "32"
_PATIENCE = 600

_HEAD = """\
# Screenshots

```{index} ! screenshots, ! pictures
```

Every page and the states that people see, light, dark, and on a phone with 390 pixels.
`make screenshots` takes the pictures and writes this page.
"""


def main() -> None:
    """Take the pictures, and write the page that shows them."""
    with tempfile.TemporaryDirectory() as folder:
        shown = _take(Path(folder))
        for kind in (IMAGES, TREES):
            kind.mkdir(exist_ok=True)
            for old in kind.iterdir():
                old.unlink()
        for tree in Path(folder).glob("*.yaml"):
            tree.rename(TREES / tree.name)
        for picture in sorted(Path(folder).glob("*.png")):
            _compress(picture, IMAGES / f"{picture.stem}.webp")
    PAGE.write_text(page_of(shown))
    size = sum(path.stat().st_size for path in IMAGES.iterdir())
    print(f"{len(shown)} pages, {size / 1_000_000:.1f} MB")


def page_of(shown: Sequence[Sequence[str]]) -> str:
    """Return the page of the documentation.

    Args:
        shown: The name and the title of each picture, in order.
    """
    sections = []
    for name, title in shown:
        pictures = [f"![{title}, {look}](images/pages/{name}-{look}.webp)" for look in LOOKS]
        sections.append(
            f"## {title}\n\n| light | dark | phone |\n| --- | --- | --- |\n"
            f"| {' | '.join(pictures)} |\n"
        )
    return "\n".join([_HEAD, *sections])


def _take(folder: Path) -> list[list[str]]:
    with contextlib.closing(ProcessHarness(folder / "service")) as harness:
        harness.folder.mkdir()
        base = f"http://127.0.0.1:{harness.serve(PYTHONPATH=str(PROJECT)).port}"
        command = ["node", DRIVER, base, DEMO_PASSWORD, folder, _QR_CODE]
        driver = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, timeout=_PATIENCE, check=True
        )
    shown: list[list[str]] = json.loads(driver.stdout)
    return shown


def _compress(picture: Path, target: Path) -> None:
    """Write a picture as WebP without loss beyond that of a palette."""
    palette = ["pngquant", "--force", "--nofs", "--speed", "4", "--ext", ".png", _COLORS]
    subprocess.run([*palette, picture], check=True, timeout=_PATIENCE)
    encoder = ["cwebp", "-quiet", "-lossless", "-z", "6"]
    subprocess.run([*encoder, picture, "-o", target], check=True, timeout=_PATIENCE)


if __name__ == "__main__":
    main()
