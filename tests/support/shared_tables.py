"""Tables that the tests of one process share: making them takes longer than most tests."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import botocore.session

from flask_pynamodb.local import Engine
from models import db
from models.tables.audit_event import EventType
from models.tables.daily_count import Counted
from models.tables.login_attempts import Attempts
from models.tables.rate_window import RateWindow
from roster.config import Config
from tests.support.engine_requests import RejectedError, send_all

# Binds the models to a database: `app.app_context` or `Standalone.context`.
Context = Callable[[], AbstractContextManager[Any]]
# What is counted whether or not a request is granted.
_COUNTS = {"tries", "tried_at", "ticket"}
_FAILED = {"S": EventType.SIGN_IN_FAILED}
# DynamoDB takes so many deletions at once.
_BATCH = 25


def shared_config(engine: Engine, transport: str, prefix: str) -> Config:
    """Settings for apps on tables that are shared under a prefix."""
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return Config(
        secret_keys=("only for tests",),
        workers=1,
        # Tests look into whole tables; that the service never does has a test of its own.
        dynamodb={
            "DYNAMODB_HOST": engine.host,
            "DYNAMODB_REGION": "us-east-1",
            "DYNAMODB_SESSION": session,
            "DYNAMODB_TABLE_PREFIX": prefix,
            "DYNAMODB_ALLOW_SCAN": True,
            "DYNAMODB_TRANSPORT": transport,
        },
    )


def empty(context: Context) -> None:
    """Delete everything in the tables of an app, and make those that are missing."""
    with context():
        try:
            deletions = _deletions()
        except RejectedError:
            db.create_all()
            deletions = _deletions()
        requests = [
            {"RequestItems": _by_table(deletions[at : at + _BATCH])}
            for at in range(0, len(deletions), _BATCH)
        ]
        if requests:
            send_all(db.connection.host, "BatchWriteItem", requests)


def read_items(context: Context) -> dict[str, list[str]]:
    """Return the items of all tables.

    Counts of requests, attempts and days, failures and merged events are left out, since they
    record rejected requests, or are written later.
    """
    with context():
        tables = _items()
        return {
            model.__name__: sorted(map(_written, filter(_is_kept, tables[model.Meta.table_name])))
            for model in db.models
            if model not in (Attempts, RateWindow)
        }


def _is_kept(item: dict[str, Any]) -> bool:
    is_day = not item.keys().isdisjoint(Counted)
    return item.get("type") != _FAILED and "batch" not in item and not is_day


def _written(item: dict[str, Any]) -> str:
    return json.dumps({name: item[name] for name in item.keys() - _COUNTS}, sort_keys=True)


def _items() -> dict[str, list[dict[str, Any]]]:
    """Return the items of each table in DynamoDB's format, so that unreadable rows do no harm."""
    # Two models may share a table.
    tables = sorted({model.Meta.table_name for model in db.models})
    requests = [{"TableName": table, "ConsistentRead": True} for table in tables]
    answers = send_all(db.connection.host, "Scan", requests)
    return {table: answer["Items"] for table, answer in zip(tables, answers, strict=True)}


def _deletions() -> list[tuple[str, dict[str, Any]]]:
    tables = _items()
    keys = {model.Meta.table_name: _key_names(model) for model in db.models}
    return [
        (table, {"DeleteRequest": {"Key": {name: item[name] for name in keys[table]}}})
        for table, items in tables.items()
        for item in items
    ]


def _by_table(deletions: list[tuple[str, dict[str, Any]]]) -> dict[str, list[Any]]:
    batch: dict[str, list[Any]] = {}
    for table, deletion in deletions:
        batch.setdefault(table, []).append(deletion)
    return batch


@cache
def _key_names(model: Any) -> list[str]:
    return [part["AttributeName"] for part in model._get_schema()["key_schema"]]
