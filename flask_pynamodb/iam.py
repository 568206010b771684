"""Least-privilege IAM policies for the tables of an app."""

from collections.abc import Iterable
from typing import Any

from flask_pynamodb.model import Model
from flask_pynamodb.table_spec import specs_of

_RUN_TIME = (
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
)
_SET_UP = (
    "CreateTable",
    "DescribeContinuousBackups",
    "DescribeTable",
    "DescribeTimeToLive",
    "ListTagsOfResource",
    "TagResource",
    "UpdateContinuousBackups",
    "UpdateTable",
    "UpdateTimeToLive",
)
# Needed by the check of tables before a service starts.
_CHECK = ("DescribeContinuousBackups", "DescribeTable", "DescribeTimeToLive", "ListTagsOfResource")


def policy(
    models: Iterable[type[Model]],
    *,
    region: str,
    account: str,
    partition: str = "aws",
    scans: bool = False,
    migrated: Iterable[type[Model]] = (),
) -> dict[str, Any]:
    """Return a policy for exactly these tables and their indexes.

    Args:
        models: The models of the tables.
        region: An AWS region, or `*`.
        account: An AWS account, or `*`.
        partition: `aws`, `aws-cn` or `aws-us-gov`.
        scans: Whether the app may Scan.
        migrated: The models whose tables have migrations, which Scan them.

    Returns:
        The policy document, with one statement for run time, one for set-up, and one for
        migrations if there are any and run time does not include it.
    """
    base = f"arn:{partition}:dynamodb:{region}:{account}:table"
    tables: list[str] = []
    indexes: list[str] = []
    for _, spec in specs_of(models):
        tables.append(f"{base}/{spec.name}")
        names = [index["IndexName"] for index in spec.request.get("LocalSecondaryIndexes", ())]
        indexes += [f"{base}/{spec.name}/index/{name}" for name in (*spec.indexes, *names)]
    run_time = (*_RUN_TIME, *_CHECK, *(("Scan",) if scans else ()))
    statements = [
        _allow("RunTime", run_time, tables + indexes),
        _allow("SetUp", _SET_UP, tables),
    ]
    scanned = [f"{base}/{spec.name}" for _, spec in specs_of(migrated)]
    if scanned and not scans:
        statements.append(_allow("Migrations", ("Scan",), scanned))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: Iterable[str], resources: list[str]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"dynamodb:{action}" for action in sorted(actions)],
        "Resource": sorted(resources),
    }
