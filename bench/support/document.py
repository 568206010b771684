"""Writes results between two markers of the document."""

from dataclasses import dataclass
from pathlib import Path

from bench.support.process import BenchError

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


@dataclass(frozen=True)
class Section:
    """The part of the document that a command writes.

    Attributes:
        name: The name in its markers.
        document: The file with the markers.
    """

    name: str
    document: Path = DOCUMENT

    def split_document(self) -> tuple[str, str]:
        """Return the text before and after the section; both include their marker.

        Raises:
            BenchError: A marker is missing.
        """
        begin, end = f"<!-- {self.name}: begin -->", f"<!-- {self.name}: end -->"
        before, has_begin, rest = self.document.read_text().partition(begin)
        _, has_end, after = rest.partition(end)
        if not has_begin or not has_end:
            raise BenchError(f"{self.document} lacks the lines {begin} and {end}")
        return before + begin, end + after

    def write(self, text: str) -> None:
        """Replace the text between the markers."""
        before, after = self.split_document()
        self.document.write_text(f"{before}\n\n{text}\n\n{after}")
