"""Output of commands: a table on a terminal, plain lines in a pipe, or one JSON document."""

from collections.abc import Iterable, Sequence

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text


def show_json(value: object) -> None:
    """Write one JSON document."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as a table on a terminal, else as tab-separated lines."""
    console = Console()
    if not console.is_terminal:
        for row in (columns, *rows):
            click.echo("\t".join(map(_plain, row)))
        return
    table = Table(*columns, header_style="bold", box=None)
    for row in rows:
        # Plain text, even if a name looks like markup or like an escape sequence.
        table.add_row(*(Text(_plain(cell), overflow="fold") for cell in row))
    console.print(table)


def _plain(cell: object) -> str:
    if isinstance(cell, list):
        return " ".join(map(str, cell))
    return "" if cell is None else str(cell)
