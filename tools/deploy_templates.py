"""Write the tables of deploy/ from the models: `python tools/deploy_templates.py`.

Keys, indexes and time to live are those of the models; the policy is that of docs/operations.md,
which a test compares with every call of every route; docs/backups.md names the tables with
point-in-time recovery. The file of Terraform is in its JSON syntax.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from flask import Flask

from flask_pynamodb.table_spec import TableSpec, specs_of
from models import db
from roster import migrations as migrations  # its history is a table

ROOT = Path(__file__).parents[1]
CLOUDFORMATION = ROOT / "deploy/cloudformation/tables.yaml"
TERRAFORM = ROOT / "deploy/terraform/tables.tf.json"
NOTE = "Written by `make deploy-templates` from the models. Do not edit."
_DOCUMENTED_PREFIX = "arn:aws:dynamodb:eu-central-1:123456789012:table/roster-"
_ALARM_TEXT = "Requests are throttled: a hot partition, or a quota of the account."


class _WithoutAliases(yaml.SafeDumper):
    """Writes equal values in full: CloudFormation has no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Inline(dict[str, Any]):
    """A mapping that is written in one line, since CloudFormation limits the size of a template."""


_WithoutAliases.add_representer(
    _Inline,
    lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True),
)


def render() -> dict[Path, str]:
    """Return the text of each file by its path."""
    specs = table_specs()
    return {
        CLOUDFORMATION: yaml.dump(
            cloudformation(specs),
            Dumper=_WithoutAliases,
            sort_keys=False,
            width=100,
            default_flow_style=None,
        ),
        TERRAFORM: f"{json.dumps(terraform(specs), indent=2)}\n",
    }


def table_specs() -> list[TableSpec]:
    """Return the declared tables in the order of their names, which have no prefix."""
    app = Flask("templates")
    app.config.from_mapping(
        SECRET_KEY="unused", DYNAMODB_REGION="us-east-1", DYNAMODB_TABLE_PREFIX=""
    )
    db.init_app(app)
    with app.app_context():
        return sorted((spec for _, spec in specs_of(db.models)), key=lambda spec: spec.name)


def service_policy(prefix: str) -> dict[str, Any]:
    """Return the documented policy of the service, for tables that begin with a prefix."""
    page = (ROOT / "docs/operations.md").read_text()
    section = page.partition("### The service at run time")[2]
    found = re.search(r"^```json\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert found, "docs/operations.md has no policy of the service."
    policy: dict[str, Any] = json.loads(found[1].replace(_DOCUMENTED_PREFIX, prefix))
    return policy


def is_backed_up(table: str) -> bool:
    """Whether docs/backups.md says that a table needs a backup.

    Raises:
        LookupError: The page does not name the table.
    """
    page = (ROOT / "docs/backups.md").read_text()
    for names, answer in re.findall(r"^\| (`.+?`) \| (yes|no) \|", page, re.MULTILINE):
        if f"`{table}`" in names:
            return bool(answer == "yes")
    raise LookupError(f"docs/backups.md does not say whether to back up {table}.")


def cloudformation(specs: Iterable[TableSpec]) -> dict[str, Any]:
    """Return the CloudFormation template of the tables, their alarms and the policy."""
    resources: dict[str, Any] = {}
    for spec in specs:
        name = spec.name.replace("_", " ").title().replace(" ", "")
        resources[f"{name}Table"] = _cfn_table(spec)
        resources[f"{name}Throttles"] = _cfn_alarm(spec)
    arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TablePrefix}"
    resources["ServicePolicy"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "Description": "What the service may do with the tables.",
            "PolicyDocument": _substituted(service_policy(arn)),
        },
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The tables of Roster. {NOTE}",
        "Parameters": {
            "TablePrefix": {
                "Type": "String",
                "Default": "roster-",
                "AllowedPattern": "[A-Za-z0-9_.-]{0,60}",
                "Description": "DYNAMODB_TABLE_PREFIX.",
            },
            "DeletionProtection": {
                "Type": "String",
                "Default": "true",
                "AllowedValues": ["true", "false"],
                "Description": "Whether DynamoDB rejects deleting the tables.",
            },
            "AlarmTopic": {
                "Type": "String",
                "Default": "",
                "Description": "The ARN of an SNS topic for alarms; empty for none.",
            },
        },
        "Conditions": {"HasAlarmTopic": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopic"}, ""]}]}},
        "Resources": resources,
        "Outputs": {
            "ServicePolicyArn": {
                "Description": "The policy for the role of the service.",
                "Value": {"Ref": "ServicePolicy"},
            }
        },
    }


def _cfn_table(spec: TableSpec) -> dict[str, Any]:
    properties = {
        "TableName": {"Fn::Sub": f"${{TablePrefix}}{spec.name}"},
        "BillingMode": spec.request["BillingMode"],
        "DeletionProtectionEnabled": {"Ref": "DeletionProtection"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": is_backed_up(spec.name)},
        **{
            key: spec.request[key]
            for key in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
            if key in spec.request
        },
    }
    if spec.ttl_attribute:
        properties["TimeToLiveSpecification"] = {
            "AttributeName": spec.ttl_attribute,
            "Enabled": True,
        }
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    }


def _cfn_alarm(spec: TableSpec) -> dict[str, Any]:
    name = {"Fn::Sub": f"${{TablePrefix}}{spec.name}"}
    actions = ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]
    topic = _Inline({"Fn::If": actions})
    queries: list[dict[str, Any]] = [
        {"Id": "throttles", "Expression": _sum(spec), "Label": "throttled requests"}
    ]
    for query, metric, index in _throttle_metrics(spec):
        dimensions: list[dict[str, Any]] = [{"Name": "TableName", "Value": name}]
        if index:
            dimensions.append({"Name": "GlobalSecondaryIndexName", "Value": index})
        described = {
            "Namespace": "AWS/DynamoDB",
            "MetricName": metric,
            "Dimensions": dimensions,
        }
        queries.append(
            _Inline(
                Id=query,
                ReturnData=False,
                MetricStat={"Metric": described, "Period": 60, "Stat": "Sum"},
            )
        )
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": {"Fn::Sub": f"${{TablePrefix}}{spec.name}-throttles"},
            "AlarmDescription": _ALARM_TEXT,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0,
            "EvaluationPeriods": 5,
            "DatapointsToAlarm": 3,
            "TreatMissingData": "notBreaching",
            "Metrics": queries,
            "AlarmActions": topic,
            "OKActions": topic,
        },
    }


def _substituted(policy: dict[str, Any]) -> dict[str, Any]:
    """Return a policy whose resources CloudFormation completes."""

    def sub(resource: str | list[str]) -> Any:
        if isinstance(resource, str):
            return {"Fn::Sub": resource}
        return [{"Fn::Sub": one} for one in resource]

    statements = [{**one, "Resource": sub(one["Resource"])} for one in policy["Statement"]]
    return {**policy, "Statement": statements}


def terraform(specs: Iterable[TableSpec]) -> dict[str, Any]:
    """Return the Terraform configuration of the tables, their alarms and the policy."""
    specs = list(specs)
    arn = (
        "arn:${data.aws_partition.current.partition}:dynamodb:${data.aws_region.current.region}"
        ":${data.aws_caller_identity.current.account_id}:table/${var.table_prefix}"
    )
    return {
        "//": NOTE,
        "data": {
            "aws_caller_identity": {"current": {}},
            "aws_partition": {"current": {}},
            "aws_region": {"current": {}},
        },
        "resource": {
            "aws_dynamodb_table": {spec.name: _tf_table(spec) for spec in specs},
            "aws_cloudwatch_metric_alarm": {
                f"{spec.name}_throttles": _tf_alarm(spec) for spec in specs
            },
            "aws_iam_policy": {
                "service": {
                    "name_prefix": "${var.table_prefix}service-",
                    "description": "What the service may do with the tables.",
                    "policy": json.dumps(service_policy(arn)),
                }
            },
        },
    }


def _tf_table(spec: TableSpec) -> dict[str, Any]:
    table = {
        "name": f"${{var.table_prefix}}{spec.name}",
        "billing_mode": spec.request["BillingMode"],
        "deletion_protection_enabled": "${var.deletion_protection}",
        **_tf_keys(spec.request["KeySchema"]),
        "attribute": [
            {"name": one["AttributeName"], "type": one["AttributeType"]}
            for one in spec.request["AttributeDefinitions"]
        ],
        "global_secondary_index": [_tf_index(index) for index in spec.indexes.values()],
        "point_in_time_recovery": {"enabled": is_backed_up(spec.name)},
        "lifecycle": {"prevent_destroy": True},
    }
    if spec.ttl_attribute:
        table["ttl"] = {"attribute_name": spec.ttl_attribute, "enabled": True}
    return {key: value for key, value in table.items() if value != []}


def _tf_index(index: Any) -> dict[str, Any]:
    projection = index["Projection"]
    described = {
        "name": index["IndexName"],
        **_tf_keys(index["KeySchema"]),
        "projection_type": projection["ProjectionType"],
    }
    if "NonKeyAttributes" in projection:
        described["non_key_attributes"] = projection["NonKeyAttributes"]
    return described


def _tf_keys(schema: Iterable[Any]) -> dict[str, str]:
    names = {"HASH": "hash_key", "RANGE": "range_key"}
    return {names[key["KeyType"]]: key["AttributeName"] for key in schema}


def _tf_alarm(spec: TableSpec) -> dict[str, Any]:
    queries: list[dict[str, Any]] = [
        {
            "id": "throttles",
            "expression": _sum(spec),
            "label": "throttled requests",
            "return_data": True,
        }
    ]
    for query, metric, index in _throttle_metrics(spec):
        dimensions = {"TableName": f"${{var.table_prefix}}{spec.name}"}
        if index:
            dimensions["GlobalSecondaryIndexName"] = index
        described = {
            "namespace": "AWS/DynamoDB",
            "metric_name": metric,
            "dimensions": dimensions,
            "period": 60,
            "stat": "Sum",
        }
        queries.append({"id": query, "metric": described})
    return {
        "alarm_name": f"${{var.table_prefix}}{spec.name}-throttles",
        "alarm_description": _ALARM_TEXT,
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 0,
        "evaluation_periods": 5,
        "datapoints_to_alarm": 3,
        "treat_missing_data": "notBreaching",
        "metric_query": queries,
        "alarm_actions": "${var.alarm_topics}",
        "ok_actions": "${var.alarm_topics}",
    }


def _throttle_metrics(spec: TableSpec) -> Iterator[tuple[str, str, str | None]]:
    """Yield ID, name and index of each metric of throttled reads and writes."""
    for number, index in enumerate((None, *spec.indexes)):
        yield f"r{number}", "ReadThrottleEvents", index
        yield f"w{number}", "WriteThrottleEvents", index


def _sum(spec: TableSpec) -> str:
    # A metric without an event has no value, which would make the sum none, too.
    return "+".join(f"FILL({query},0)" for query, _, _ in _throttle_metrics(spec))


def main() -> None:
    """Write the files."""
    for path, text in render().items():
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
