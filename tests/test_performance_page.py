"""docs/performance.md and others: the sections that benchmark commands write, and no others."""

import importlib
import pkgutil
import re
from types import ModuleType

import pytest

import bench
from bench import flame
from bench.support.document import DOCUMENT, Section

MARKER = re.compile(r"<!-- (\S+): (begin|end) -->")


def runnable_modules() -> list[ModuleType]:
    """Import every module of bench that `python -m` can run, except the helpers in support."""
    found = pkgutil.walk_packages(bench.__path__, f"{bench.__name__}.")
    modules = [importlib.import_module(module.name) for module in found if not module.ispkg]
    is_helper = re.compile(r"bench\.support\.").match
    return [each for each in modules if hasattr(each, "main") and not is_helper(each.__name__)]


MODULES = runnable_modules()
PAGES = [DOCUMENT, *(DOCUMENT.with_name(name) for name in ("scale.md", "reliability.md"))]
TEXT = "".join(page.read_text() for page in PAGES)
SECTIONS: list[Section] = [module.SECTION for module in MODULES if hasattr(module, "SECTION")]


class TestSections:
    def test_every_command_writes_something(self):
        """Each command has a section of the page, except bench.flame, which writes an image."""
        without = [module for module in MODULES if not hasattr(module, "SECTION")]

        assert len(SECTIONS) >= 6
        assert without == [flame]

    @pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
    def test_is_on_the_page(self, section: Section):
        """`--write` finds the section of each command, with the figures of that command."""
        before, after = section.split_document()
        text = section.document.read_text().removeprefix(before).removesuffix(after).strip()

        assert section.document.parent == DOCUMENT.parent
        assert re.match(rf"- Command: `(\w+=\S+ )*python -m {section.name}( |`)", text)

    def test_no_section_without_a_command(self):
        """Figures that no command updates any more are removed from the page."""
        markers = MARKER.findall(TEXT)

        assert markers == [pair for name, _ in markers[::2] for pair in both(name)]
        assert sorted(name for name, _ in markers[::2]) == sorted(each.name for each in SECTIONS)

    def test_command_is_named(self):
        """The pages say how to run each command that has no target in the Makefile."""
        names = [module.__name__ for module in MODULES if not module.__name__.endswith("__main__")]

        assert [name for name in names if f".venv/bin/python -m {name}\n" not in TEXT] == []

    def test_flame_graph(self):
        """The image that bench.flame writes exists and is on the page."""
        path = flame.GRAPH.relative_to(DOCUMENT.parent)

        assert flame.GRAPH.is_file()
        assert f"]({path})" in DOCUMENT.read_text()


def both(name: str) -> list[tuple[str, str]]:
    return [(name, "begin"), (name, "end")]


class TestWrite:
    def test_replaces_the_section_only(self, tmp_path):
        """Text before and after the markers stays, and the figures are replaced."""
        document = tmp_path / "page.md"
        document.write_text("before\n<!-- x: begin -->\n\nold\n\n<!-- x: end -->\nafter\n")

        Section("x", document).write("new")

        assert document.read_text() == (
            "before\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nafter\n"
        )
