"""`roster templates`: replace the templates of pages and emails."""

from difflib import get_close_matches
from pathlib import Path

import click

from roster.commands.context import settings_errors_in_one_line
from roster.commands.output import show_table
from roster.commands.templates.files import Replaced, our_templates, states_of
from roster.commands.templates.preview import NotComplete, PreviewFailed, render
from roster.config import Config
from web.languages import LANGUAGES


@click.group()
def templates() -> None:
    """Replace templates of pages and emails by those in the folder of ROSTER_TEMPLATES."""


@templates.command("list")
def list_command() -> None:
    """List all templates, and which of them are replaced.

    The exit status is 1 if a replacement is broken.
    """
    states = states_of(_config().templates)
    show_table(("template", "state"), ((state.name, state.text) for state in states))
    if any(state.kind is Replaced.BROKEN for state in states):
        raise SystemExit(1)


@templates.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Overwrite replacements that exist.")
def copy(names: tuple[str, ...], force: bool) -> None:
    """Copy templates into the folder of ROSTER_TEMPLATES, to be changed there.

    NAME is one of those that `roster templates list` prints, such as pages/sign_in/sign_in.html.
    """
    folder = _folder(_config())
    sources = {name: _path_of(name) for name in names}
    for name in sources:
        if (folder / name).exists() and not force:
            raise click.ClickException(f"{folder / name} exists. Overwrite it with --force.")
    for name, source in sources.items():
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        except OSError as error:
            raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from None
        click.echo(f"wrote {target}")


@templates.command()
@click.argument("name")
@click.option("--language", type=click.Choice(LANGUAGES), help="[default: ROSTER_LANGUAGE]")
def preview(name: str, language: str | None) -> None:
    """Print a page or a part of an email with sample values, as HTML or as text.

    NAME is one of those that `roster templates list` prints. A broken replacement is an error.
    """
    _path_of(name)
    config = _config()
    try:
        click.echo(render(name, config, language or config.language))
    except NotComplete:
        raise click.ClickException(
            f"{name} is a part of other templates: preview one of those."
        ) from None
    except PreviewFailed as error:
        raise click.ClickException(str(error)) from None


def _config() -> Config:
    with settings_errors_in_one_line():
        return Config.from_env(local=True)


def _folder(config: Config) -> Path:
    if config.templates is None:
        raise click.ClickException("Set ROSTER_TEMPLATES to the folder of your templates.")
    return config.templates


def _path_of(name: str) -> Path:
    ours = our_templates()
    if name not in ours:
        nearest = get_close_matches(name, ours, n=1)
        hint = f"Did you mean {nearest[0]}?" if nearest else "`roster templates list` lists them."
        raise click.ClickException(f"There is no template {name}. {hint}")
    return ours[name]
