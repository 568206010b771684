"""The tables of CloudFormation and Terraform are those of the models, and so is the policy."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from flask_pynamodb import iam
from flask_pynamodb.local import Engine
from models import db
from tests.support.deploy_files import (
    TABLES,
    TERRAFORM_TABLES,
    cloudformation,
    resources_of,
    terraform,
    terraform_resource,
)
from tests.support.documents import DOCS, blocks
from tools import deploy_templates

PREFIX = "deployed-"
# IAM's quota of a managed policy, and CloudFormation's of a template that is not in S3.
POLICY_QUOTA, TEMPLATE_QUOTA = 6144, 51_200


def described_by_cloudformation() -> Iterator[tuple[dict[str, Any], Any, Any]]:
    """Yield the arguments of CreateTable, the time to live and the recovery of each table."""
    for one in resources_of(cloudformation(TABLES), "AWS::DynamoDB::Table"):
        name = one["TableName"]["Fn::Sub"].replace("${TablePrefix}", PREFIX)
        keys = "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode"
        request = {key: one[key] for key in keys if key in one}
        recovery = one["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        yield {"TableName": name, **request}, one.get("TimeToLiveSpecification"), recovery


def described_by_terraform() -> Iterator[tuple[dict[str, Any], Any, Any]]:
    """Yield the same of the resources of Terraform."""
    for body in (body for type, _, body in terraform() if type == "aws_dynamodb_table"):
        request = {
            "TableName": body["name"].replace("${var.table_prefix}", PREFIX),
            "BillingMode": body["billing_mode"],
            "KeySchema": keys_of(body),
            "AttributeDefinitions": [
                {"AttributeName": one["name"], "AttributeType": one["type"]}
                for one in body["attribute"]
            ],
        }
        indexes = [
            {
                "IndexName": index["name"],
                "KeySchema": keys_of(index),
                "Projection": projection_of(index),
            }
            for index in body.get("global_secondary_index", ())
        ]
        ttl = body.get("ttl")
        yield (
            {**request, **({"GlobalSecondaryIndexes": indexes} if indexes else {})},
            ttl and {"AttributeName": ttl["attribute_name"], "Enabled": ttl["enabled"]},
            body["point_in_time_recovery"]["enabled"],
        )


def keys_of(body: dict[str, Any]) -> list[dict[str, str]]:
    kinds = (("hash_key", "HASH"), ("range_key", "RANGE"))
    return [{"AttributeName": body[name], "KeyType": kind} for name, kind in kinds if name in body]


def projection_of(index: dict[str, Any]) -> dict[str, Any]:
    projection = {"ProjectionType": index["projection_type"]}
    attributes = index.get("non_key_attributes")
    return {**projection, **({"NonKeyAttributes": attributes} if attributes else {})}


def deploy(described: Iterator[tuple[dict[str, Any], Any, Any]]) -> None:
    """Create tables by the operations of DynamoDB, without the extension."""
    client = db.connection.client
    for request, ttl, _ in described:
        client.create_table(**request)
        if ttl:
            client.update_time_to_live(TableName=request["TableName"], TimeToLiveSpecification=ttl)


Described = Callable[[], Iterator[tuple[dict[str, Any], Any, Any]]]
both = pytest.mark.parametrize("described", [described_by_cloudformation, described_by_terraform])


@pytest.fixture
def app(dynamodb_engine: Engine) -> Iterator[Flask]:
    """An app whose tables do not exist yet; those that a test creates are deleted."""
    app = Flask("deployed")
    app.config.from_mapping(
        SECRET_KEY="unused",
        DYNAMODB_HOST=dynamodb_engine.host,
        DYNAMODB_REGION="us-east-1",
        DYNAMODB_AWS_ACCESS_KEY_ID="local",
        DYNAMODB_AWS_SECRET_ACCESS_KEY="local",
        DYNAMODB_TABLE_PREFIX=PREFIX,
    )
    db.init_app(app)
    with app.app_context():
        yield app
        db.drop_all()


class TestTables:
    @pytest.mark.parametrize("path", [TABLES, TERRAFORM_TABLES], ids=lambda path: path.name)
    def test_committed_files_are_current(self, path):
        """The files are those of the models; if not: `make deploy-templates`."""
        is_current = path.read_text() == deploy_templates.render()[path]

        assert is_current, "run `make deploy-templates`"

    @both
    def test_match_the_models(self, app, described: Described):
        """`roster dynamodb check` finds no difference after a deployment."""
        deploy(described())

        assert db.check_all() == []

    @both
    def test_recovery(self, described: Described):
        """Point-in-time recovery is on for the tables that docs/backups.md backs up."""
        [names] = re.findall(r'^TABLES="(.+)"$', (DOCS / "backups.md").read_text(), re.MULTILINE)
        recovered = [
            request["TableName"].removeprefix(PREFIX) for request, _, is_on in described() if is_on
        ]

        assert sorted(recovered) == sorted(names.split())

    def test_undocumented_table(self):
        """A table must be in docs/backups.md before it can be deployed."""
        with pytest.raises(LookupError, match=r"whether to back up coats\."):
            deploy_templates.is_backed_up("coats")

    def test_tables_are_kept(self):
        """Neither a stack nor a plan that is deleted takes the tables with it."""
        template = cloudformation(TABLES)["Resources"].values()
        tables = [one for one in template if one["Type"] == "AWS::DynamoDB::Table"]
        bodies = [body for type, _, body in terraform() if type == "aws_dynamodb_table"]

        assert {one["DeletionPolicy"] for one in tables} == {"Retain"}
        assert {one["UpdateReplacePolicy"] for one in tables} == {"Retain"}
        assert {one["Properties"]["DeletionProtectionEnabled"]["Ref"] for one in tables} == {
            "DeletionProtection"
        }
        assert {body["lifecycle"]["prevent_destroy"] for body in bodies} == {True}
        assert {body["deletion_protection_enabled"] for body in bodies} == {
            "${var.deletion_protection}"
        }

    def test_alarms(self):
        """Each table has an alarm in both."""
        tables = len(list(described_by_cloudformation()))
        alarms = resources_of(cloudformation(TABLES), "AWS::CloudWatch::Alarm")
        metrics = [body for type, _, body in terraform() if type == "aws_cloudwatch_metric_alarm"]

        assert len(alarms) == tables
        assert len([body for body in metrics if "metric_query" in body]) == tables

    def test_size(self):
        """CloudFormation takes the template without a bucket in S3."""
        assert TABLES.stat().st_size < TEMPLATE_QUOTA


def policy_of_cloudformation() -> dict[str, Any]:
    [policy] = resources_of(cloudformation(TABLES), "AWS::IAM::ManagedPolicy")
    text = json.dumps(policy["PolicyDocument"])
    return json.loads(re.sub(r'\{"Fn::Sub": ("[^"]+")\}', r"\1", text))


def policy_of_terraform() -> dict[str, Any]:
    return json.loads(terraform_resource("aws_iam_policy", "service")["policy"])


def completed(policy: dict[str, Any]) -> str:
    """Return a policy as AWS sees it, for the account and the region of the documentation."""
    values = {
        r"\$\{(AWS::Partition|data\.aws_partition\.current\.partition)\}": "aws",
        r"\$\{(AWS::Region|data\.aws_region\.current\.region)\}": "eu-central-1",
        r"\$\{(AWS::AccountId|data\.aws_caller_identity\.current\.account_id)\}": "123456789012",
        r"\$\{(TablePrefix|var\.table_prefix)\}": "roster-",
    }
    text = json.dumps(policy, separators=(",", ":"))
    for pattern, value in values.items():
        text = re.sub(pattern, value, text)
    return text


@pytest.mark.parametrize("policy", [policy_of_cloudformation, policy_of_terraform])
class TestPolicy:
    def test_documented(self, policy):
        """The role of the service has the policy that every call of every route is held to."""
        documented = json.loads(blocks(DOCS / "operations.md", "json")[0])

        assert json.loads(completed(policy())) == documented

    def test_command(self, policy, app):
        """Tables and indexes are those of `roster dynamodb iam-policy`."""
        region, account = "eu-central-1", "123456789012"
        command = iam.policy(db.models, region=region, account=account)
        printed = json.dumps(command["Statement"][0]["Resource"]).replace(PREFIX, "roster-")

        assert arns(completed(policy())) == arns(printed)

    def test_size(self, policy):
        """It is within IAM's quota."""
        assert len(completed(policy())) < POLICY_QUOTA


def arns(text: str) -> set[str]:
    return set(re.findall(r"arn:[^\"]+", text))


def test_names_without_placeholders():
    """Every name of a table in Terraform begins with the variable."""
    names = re.findall(r'"name": "([^"]+)"', TERRAFORM_TABLES.read_text())

    assert {name for name in names if "roster" in name} == set()
