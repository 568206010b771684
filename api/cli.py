"""The `roster` command: serve, users, openapi, and Flask's own commands."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, FlaskGroup, NoAppException

import api
from api import local, openapi, serving
from api.config import Config, SettingError
from api.user_commands import users
from flask_pynamodb import ConfigurationError, is_unavailable
from flask_pynamodb.local import Engine, EngineError
from models import db, resume_sweeps
from models.errors import WeakPassword


def init_app(app: Flask) -> None:
    """Add the commands that need the app."""
    app.cli.add_command(users)
    app.cli.add_command(describe)


class _Unready(NoAppException):
    """A setting is missing or wrong: one line and status 1, without click's words on usage."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.ClickException.show(self, file)


def load_app() -> Flask:
    """The app for commands; a wrong setting is one line, not a stack trace."""
    try:
        return api.create_app()
    except (SettingError, ConfigurationError) as error:
        raise _Unready(str(error)) from None


def main() -> None:
    """The console script."""
    try:
        cli()
    except Exception as error:
        if not is_unavailable(error):
            raise
        sys.exit(f"Error: DynamoDB is out of reach: {error}")


cli = FlaskGroup(
    create_app=load_app,
    load_dotenv=False,
    help="Roster: accounts, sessions and passwords on Amazon DynamoDB.",
)
describe = AppGroup("openapi", help="Write the API description.")
# Not only with the app: `roster --help` lists them where there are no settings yet.
cli.add_command(users)
cli.add_command(describe)


@cli.command(with_appcontext=False)
@click.option("--local", "is_local", is_flag=True, help="Embedded engine and demo users.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", type=click.IntRange(1, 256), help="Processes  [default: ROSTER_WORKERS]")
@click.option(
    "--data",
    default=".roster",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where --local keeps its data.",
)
@click.option("--with-make", is_flag=True, hidden=True, help="Stop when make, the parent, does.")
def serve(
    is_local: bool, host: str, port: int, workers: int | None, data: Path, with_make: bool
) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    with serving.stopped_by_signals():
        if with_make:
            serving.stop_with_make()
        try:
            config = Config.from_env(local=is_local)
            config = replace(config, workers=workers or config.workers)
            address = serving.free_address(host, port)
            if is_local:
                _serve_locally(config, address, port, data)
            else:
                _serve_on_aws(config, address, port)
        except (SettingError, ConfigurationError, serving.PortTaken, EngineError) as error:
            raise click.ClickException(str(error)) from None


def _serve_on_aws(config: Config, host: str, port: int) -> None:
    with api.create_app(config).app_context():
        if lacking := db.missing_access():
            raise click.ClickException("; ".join(lacking))
        if lacking := [lack for lack in db.check_all() if lack.blocks]:
            raise click.ClickException(
                f"{'; '.join(lacking)}. `roster dynamodb create` makes missing tables."
            )
        resume_sweeps()
    click.echo(f"Roster serves on {local.url(host, port)} with {config.workers} workers")
    serving.serve(config, host, port)


def _serve_locally(config: Config, host: str, port: int, data: Path) -> None:
    deaths: list[str] = []

    def stop_without_engine(line: str) -> None:
        deaths.append(line)
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        with Engine(data, on_exit=stop_without_engine) as engine:
            config = local.configure(config, engine, data, local.url(host, port))
            with api.create_app(config).app_context():
                db.create_all()
                if config.demo:
                    _seed(config)
                resume_sweeps()
            click.echo(local.banner(config, host, port))
            serving.serve(config, host, port)
    finally:
        # Whatever else went wrong without the engine, this is the reason.
        if deaths:
            raise EngineError(deaths[0])


def _seed(config: Config) -> None:
    try:
        local.seed(config.demo_password)
    except WeakPassword as error:
        raise SettingError(f"ROSTER_DEMO_PASSWORD: {error}") from None


@describe.command()
def write() -> None:
    """Write openapi/openapi.json and openapi/swagger.json."""
    for name, path in openapi.PATHS.items():
        path.write_text(openapi.render(current_app, name))
        click.echo(f"wrote {path}")


if __name__ == "__main__":
    main()
