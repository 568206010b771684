"""Templates of the operator, in the folder of ROSTER_TEMPLATES, that take the place of ours.

They run in a sandbox, and a broken one is not used: what it would have shown is shown by ours.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.templating import Environment as FlaskEnvironment
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    Template,
    TemplateError,
    TemplateNotFound,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flask_pynamodb import Model

log = logging.getLogger("roster")

PAGES = "pages"
EMAILS = "emails"
# Fields of rows that are for no page.
_HIDDEN = ("password_hash", "token_digest", "key_digest", "recovery_digests", "secret")
# The name of our own version, for a template that extends it.
_OURS = "ours"


class OverrideError(Exception):
    """A template of the operator is broken. The text says where and why."""


class _OverrideLoader(FileSystemLoader):
    """Loads templates of the operator; those that cannot be compiled do not exist.

    Args:
        folder: Their folder.
        falls_back: Whether they do not exist; else they are an error.
    """

    def __init__(self, folder: Path, *, falls_back: bool) -> None:
        super().__init__(folder)
        self._falls_back = falls_back

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        try:
            source = super().get_source(environment, template)
            if self._falls_back:
                compile_override(environment, template, source[0])
        except (OverrideError, UnicodeDecodeError, PermissionError) as error:
            if not self._falls_back:
                raise
            log.error("ROSTER_TEMPLATES: %s: %s. Ours is used.", template, error)
            raise TemplateNotFound(template) from None
        return source


class _Template(Template):
    """A template whose rendering falls back to ours."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        environment = self.environment
        if not isinstance(environment, OverridableEnvironment) or environment.ours is None:
            return super().render(*args, **kwargs)
        try:
            return super().render(*args, **kwargs)
        except Exception as error:
            # Raises the same if it was not the operator's template that has failed.
            text = environment.ours.get_template(self.name or "").render(*args, **kwargs)
            environment.report(self.name or "", error)
            return text


class OverridableEnvironment(ImmutableSandboxedEnvironment):
    """Renders templates of the operator in a sandbox: they cannot reach beyond the values."""

    template_class = _Template
    ours: Environment | None = None

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return whether a template may read an attribute: no method of a row, and no hash."""
        if isinstance(obj, Model) and (callable(value) or attr in _HIDDEN):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def override(self, folder: Path, *, falls_back: bool = True) -> None:
        """Prefer the templates of a folder to those that the environment has loaded so far.

        Args:
            folder: The folder.
            falls_back: Whether ours takes the place of one that fails.
        """
        loader = self.loader
        if not isinstance(loader, BaseLoader):
            raise TypeError("The environment needs templates of its own.")
        if falls_back:
            # An overlay shares the attributes, and must be made before it is one of them.
            self.ours = self.overlay(loader=loader)
        self._reported: set[str] = set()
        overrides = _OverrideLoader(folder, falls_back=falls_back)
        self.loader = ChoiceLoader([overrides, loader, PrefixLoader({_OURS: loader})])

    def report(self, name: str, error: Exception) -> None:
        """Log once in each process that a template has failed."""
        if name not in self._reported:
            self._reported.add(name)
            log.error("ROSTER_TEMPLATES: %s failed: %r. Ours is used.", name, error)


class PageEnvironment(OverridableEnvironment, FlaskEnvironment):
    """The environment of the pages, of which every template escapes what it shows."""


def compile_override(environment: Environment, name: str, source: str) -> None:
    """Check the syntax of a template.

    Raises:
        OverrideError: It has an error.
    """
    try:
        environment.compile(source, name)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise OverrideError(f"line {line}: {error.message}" if line else str(error)) from None
