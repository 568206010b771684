"""`flask dynamodb`: tables, migrations, IAM policy, local engine."""

import json
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from flask_pynamodb import iam, tables
from flask_pynamodb.commands import bind_option, database, one_line_errors
from flask_pynamodb.lazy_commands import HELP, NAME
from flask_pynamodb.local import Engine, EngineError
from flask_pynamodb.migrations.commands import migrate, migrations
from flask_pynamodb.shared_tables import group_by_table
from flask_pynamodb.state import current_state
from flask_pynamodb.table_spec import specs_of

dynamodb = AppGroup(NAME, help=HELP)
dynamodb.add_command(migrate)
dynamodb.add_command(migrations)


@dynamodb.command()
@bind_option
def create(bind_key: str) -> None:
    """Create missing tables, and add missing features to existing ones."""
    with one_line_errors():
        for line in database().create_all(bind_key):
            click.echo(line)
        click.echo("All tables exist.")


@dynamodb.command()
@bind_option
def check(bind_key: str) -> None:
    """Show how the tables differ from the models; exit 1 if they do."""
    with one_line_errors():
        problems = database().check_all(bind_key)
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("All tables match the models.")


@dynamodb.command()
@bind_option
@click.option("--yes", is_flag=True, help="Do not ask for a confirmation.")
def drop(bind_key: str, yes: bool) -> None:
    """Delete the tables and all their items."""
    with one_line_errors():
        if not yes:
            for line in _tables_by_place(database().models_of(bind_key)):
                click.echo(line)
            click.confirm("Delete these tables and all their items?", abort=True)
        for name in database().drop_all(bind_key):
            click.echo(f"dropped {name}")


@dynamodb.command()
def describe() -> None:
    """Show each table: its keys, indexes, state and size."""
    with one_line_errors():
        for model, spec in specs_of(database().models):
            found = tables.find(model._get_connection().connection.client, spec)
            click.echo("\n".join(_described(spec.name, found.table)))


@dynamodb.command("iam-policy")
@click.option("--account", default="*", show_default=True, help="An AWS account.")
@click.option("--region", help="An AWS region.  [default: the app's]")
@click.option("--partition", default="aws", show_default=True)
def iam_policy(account: str, region: str | None, partition: str) -> None:
    """Print the least-privilege IAM policy for exactly the app's tables and indexes."""
    extension = database()
    document = iam.policy(
        extension.models,
        region=region or extension.connection.region or "*",
        account=account,
        partition=partition,
        scans=current_state().allows_scan is not False,
        migrated=extension.migrated_models(),
    )
    click.echo(json.dumps(document, indent=2))


@dynamodb.command(with_appcontext=False)
@click.option("--port", type=click.IntRange(1, 65535), help="[default: a free one]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="[default: memory]")
@click.option(
    "--engine",
    "binary",
    envvar="DYNAMODB_ENGINE",
    type=click.Path(path_type=Path),
    help="A dynoxide binary.  [default: `dynoxide` on the PATH]",
)
def local(port: int | None, data: Path | None, binary: Path | None) -> None:
    """Run the local engine until Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with Engine(data, binary=binary, port=port) as engine:
            click.echo(f"DynamoDB listens on {engine.host}. Settings for an app:")
            click.echo(f"  DYNAMODB_HOST={engine.host}")
            click.echo("  DYNAMODB_REGION=us-east-1")
            click.echo("  DYNAMODB_AWS_ACCESS_KEY_ID=local DYNAMODB_AWS_SECRET_ACCESS_KEY=local")
            stopped.wait()
    except EngineError as error:
        raise click.ClickException(str(error)) from None


def _tables_by_place(models: Iterable[Any]) -> Iterator[str]:
    """Yield where the tables of models are, by region and endpoint, and their names."""
    places: dict[str, list[str]] = {}
    for model, *_ in group_by_table(models):
        client = model._get_connection().connection.client.meta
        place = f"{client.region_name}, {client.endpoint_url}"
        places.setdefault(place, []).append(str(model.Meta.table_name))
    for place, names in places.items():
        yield f"{place}:"
        yield from (f"  {name}" for name in sorted(names))


def _described(name: str, table: Any) -> Iterator[str]:
    if table is None:
        yield f"{name}: missing"
        return
    yield f"{name}: {table['TableStatus'].lower()}, about {table.get('ItemCount', 0)} items"
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    yield f"  key {' / '.join(keys[kind] for kind in ('HASH', 'RANGE') if kind in keys)}"
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in table.get(kind, ()):
            parts = " / ".join(key["AttributeName"] for key in index["KeySchema"])
            yield f"  index {index['IndexName']}: {parts}"
