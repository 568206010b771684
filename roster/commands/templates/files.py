"""The templates that there are, and which of them an operator has replaced."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import roster.email
import web
from roster.overrides import EMAILS, PAGES, OverridableEnvironment, OverrideError, compile_override
from web.languages import install

_FOLDERS = {
    PAGES: Path(web.__file__).parent / "templates",
    EMAILS: Path(roster.email.__file__).parent / "templates",
}


class Replaced(StrEnum):
    """Whether a template is replaced."""

    OURS = "ours"
    REPLACED = "replaced"
    BROKEN = "broken"
    UNKNOWN = "replaces nothing"


@dataclass(frozen=True)
class TemplateState:
    """A template of ours or of the operator.

    Attributes:
        name: Its name, such as `pages/base.html`.
        kind: Whether it is replaced.
        reason: What is broken.
    """

    name: str
    kind: Replaced
    reason: str = ""

    @property
    def text(self) -> str:
        """The state in words."""
        return f"{self.kind}: {self.reason}" if self.reason else str(self.kind)


def our_templates() -> Mapping[str, Path]:
    """Return the paths of our templates by name."""
    return {
        f"{kind}/{path.relative_to(folder).as_posix()}": path
        for kind, folder in _FOLDERS.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def states_of(folder: Path | None) -> list[TemplateState]:
    """Return the states of our templates, then the files of the folder that replace none."""
    ours = our_templates()
    found = _files_in(folder)
    states = [
        _state(name, found[name]) if name in found else TemplateState(name, Replaced.OURS)
        for name in ours
    ]
    others = sorted(found.keys() - ours.keys())
    return [*states, *(TemplateState(name, Replaced.UNKNOWN) for name in others)]


def _files_in(folder: Path | None) -> Mapping[str, Path]:
    if folder is None:
        return {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in paths}


def _state(name: str, path: Path) -> TemplateState:
    environment = OverridableEnvironment()
    install(environment)
    try:
        compile_override(environment, name, path.read_text("utf-8"))
    except OverrideError as error:
        return TemplateState(name, Replaced.BROKEN, str(error))
    except (OSError, UnicodeDecodeError) as error:
        return TemplateState(name, Replaced.BROKEN, f"not readable as UTF-8 text: {error}")
    return TemplateState(name, Replaced.REPLACED)
