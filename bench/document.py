"""Puts figures between marks in the document."""

from dataclasses import dataclass
from pathlib import Path

from bench.process import BenchError

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"


@dataclass(frozen=True)
class Section:
    """The part of the document that a command writes.

    Attributes:
        name: What its marks say.
        document: Where they stand.
    """

    name: str
    document: Path = DOCUMENT

    def frame(self) -> tuple[str, str]:
        """What stands before and after the figures, the marks included.

        Raises:
            BenchError: A mark is missing.
        """
        begin, end = f"<!-- {self.name}: begin -->", f"<!-- {self.name}: end -->"
        before, has_begun, rest = self.document.read_text().partition(begin)
        _, has_ended, after = rest.partition(end)
        if not has_begun or not has_ended:
            raise BenchError(f"{self.document} lacks the lines {begin} and {end}")
        return before + begin, end + after

    def write(self, text: str) -> None:
        """Replace what stands between the marks."""
        before, after = self.frame()
        self.document.write_text(f"{before}\n\n{text}\n\n{after}")
