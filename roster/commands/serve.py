"""`roster serve`: check the settings and the tables, and serve the API."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from flask_pynamodb import ConfigurationError, MigrationError
from flask_pynamodb.local import EngineError
from models import Services, db, resume_cleanup
from models.errors import InvalidField, WeakPassword
from roster import server
from roster.commands.templates.files import Replaced, states_of
from roster.config import Config, SettingError, read_hooks
from roster.local import demo
from roster.local.engine import FALLBACK_NOTICE, find_engine, is_fallback, local_engine
from roster.migrations import database_app
from roster.observability import logs
from roster.wiring import build_services, open_services


@click.command()
@click.option("--local", "is_local", is_flag=True, help="Embedded engine and demo users.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", type=click.IntRange(1, 256), help="Processes  [default: ROSTER_WORKERS]")
@click.option(
    "--data",
    default=".roster",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The data folder of --local.",
)
@click.option(
    "--expose-demo-users",
    "exposes_demo",
    is_flag=True,
    help="Allow --local with demo users on a --host that other computers can reach.",
)
@click.option("--with-make", is_flag=True, hidden=True, help="Stop together with make, the parent.")
def serve(
    is_local: bool,
    host: str,
    port: int,
    workers: int | None,
    data: Path,
    exposes_demo: bool,
    with_make: bool,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    with server.stopped_by_signals():
        if with_make:
            server.stop_with_make()
        try:
            config = Config.from_env(local=is_local)
            config = replace(config, workers=workers or config.workers)
            logs.configure(config.log_format)
            advice = "`make run PORT=...`" if with_make else "--port"
            address = server.free_address(host, port, advice=advice)
            if config.metrics_port == port:
                raise SettingError("ROSTER_METRICS_PORT must be another port than that of the API.")
            config = _with_metrics_address(config)
            _report_templates(config)
            # A wrong module is reported before the engine starts.
            read_hooks(config.hooks)
            if is_local:
                _serve_locally(config, address, port, data, exposes_demo=exposes_demo)
            else:
                _serve_on_aws(config, address, port)
        except (SettingError, ConfigurationError, server.PortTaken, EngineError) as error:
            raise click.ClickException(str(error)) from None


def _with_metrics_address(config: Config) -> Config:
    """Return the settings with the IP address of metrics, after checking that its port is free."""
    if config.metrics_port is None:
        return config
    advice = "ROSTER_METRICS_PORT"
    address = server.free_address(config.metrics_host, config.metrics_port, advice=advice)
    return replace(config, metrics_host=address)


def _report_templates(config: Config) -> None:
    """Say which templates of the operator are not used."""
    for state in states_of(config.templates):
        if state.kind in (Replaced.BROKEN, Replaced.UNKNOWN):
            click.echo(f"ROSTER_TEMPLATES: {state.name}: {state.text}", err=True)


def _serve_on_aws(config: Config, host: str, port: int) -> None:
    with open_services(config):
        if missing := db.missing_access():
            raise click.ClickException("; ".join(missing))
        if missing := [drift for drift in db.check_all() if drift.blocks]:
            raise click.ClickException(
                f"{'; '.join(missing)}. `roster dynamodb create` creates missing tables."
            )
        resume_cleanup()
    if config.totp_secrets:
        click.echo(
            "ROSTER_TOTP_SECRETS is deprecated: run `roster keys rekey`, and unset it when"
            " `roster keys status` shows 0 for its tags.",
            err=True,
        )
    click.echo(f"Roster serves on {demo.url(host, port)} with {config.workers} workers")
    server.serve(config, host, port)


def _serve_locally(config: Config, host: str, port: int, data: Path, *, exposes_demo: bool) -> None:
    if not exposes_demo:
        demo.require_loopback(config, host)
    engine_failures: list[str] = []

    def stop_without_engine(line: str) -> None:
        engine_failures.append(line)
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        with _engine(config, data, stop_without_engine) as engine:
            config = demo.configure(config, engine, data, demo.url(host, port))
            demo.note_url(data, demo.url(host, port))
            _migrate(config)
            with open_services(config) as services:
                if not (config.demo or exposes_demo):
                    demo.require_no_demo_users(host, data)
                if config.demo:
                    _seed(services, config)
                resume_cleanup()
            click.echo(demo.banner(config, host, port))
            server.serve(config, host, port)
    finally:
        # The end of the engine is the cause of every later error.
        if engine_failures:
            raise EngineError(engine_failures[0])


def _migrate(config: Config) -> None:
    """Create the tables, and migrate what a former version has stored."""
    with database_app(config).app_context():
        db.create_all()
        try:
            db.migrate()
        except MigrationError as error:
            # For example for a minute after another run was killed. The service works without.
            click.echo(f"{error} Run `roster dynamodb --local migrate`.", err=True)


@contextmanager
def _engine(config: Config, data: Path, on_exit: Callable[[str], None]) -> Iterator[str]:
    """Yield the URL of DYNAMODB_HOST, or of an engine that runs in this block."""
    if given := config.dynamodb["DYNAMODB_HOST"]:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        click.echo(f"The tables are at DYNAMODB_HOST, {given}, with the access key `local`.")
        yield str(given)
        return
    with local_engine(data, named=config.engine, on_exit=on_exit) as engine:
        if is_fallback(find_engine(config.engine)):
            click.echo(FALLBACK_NOTICE)
        yield engine.host


def _seed(services: Services, config: Config) -> None:
    if config.hooks:
        # The functions of the operator decide about users of its product.
        services = build_services(replace(config, hooks=None))
    try:
        demo.seed(services.accounts, config.demo_password)
    except WeakPassword as error:
        raise SettingError(f"ROSTER_DEMO_PASSWORD: {error}") from None
    except InvalidField as error:
        raise SettingError(
            f"The settings reject a demo user: {error} ROSTER_DEMO=off goes without them."
        ) from None
