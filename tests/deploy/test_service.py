"""The service in CloudFormation, which `make lint` checks, Terraform and Kubernetes."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from roster.config import Config
from tests.support.deploy_files import (
    SERVICE,
    cloudformation,
    kubernetes,
    resources_of,
    schema_faults,
    terraform,
    terraform_resource,
)
from tests.support.documents import ROOT

SCHEMA = json.loads((Path(__file__).parent / "terraform-schema.json").read_text())
CLOUDFORMATION = cloudformation(SERVICE)
[TASK] = resources_of(CLOUDFORMATION, "AWS::ECS::TaskDefinition")
[CONTAINER] = TASK["ContainerDefinitions"]
TERRAFORM_TASK = terraform_resource("aws_ecs_task_definition", "service")
TERRAFORM_CONTAINER = TERRAFORM_TASK["container_definitions"]
POD = kubernetes("Deployment")["spec"]["template"]["spec"]
[POD_CONTAINER] = POD["containers"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# The examples of the parameters.
VALUES = {
    "DYNAMODB_REGION": "eu-central-1",
    "DYNAMODB_TABLE_PREFIX": "roster-",
    "ROSTER_PUBLIC_URL": "https://accounts.example.com",
    "ROSTER_TRUSTED_PROXIES": "10.0.0.0/24,10.0.1.0/24",
    "ROSTER_WORKERS": "1",
    "ROSTER_SMTP_HOST": "email-smtp.eu-central-1.amazonaws.com",
    "ROSTER_SMTP_USERNAME": "roster",
    "ROSTER_MAIL_FROM": "Acme <accounts@example.com>",
    # What GenerateSecretString and random_password create.
    "ROSTER_SECRET_KEY": "8QmV2sXb7LzK4tRf9WnC1yHd6GpJ3aTe5UqZ0oMkBvNxSjYwDhFrLcPiEgAu7l2K",
    "ROSTER_SMTP_PASSWORD": "BPassword+of/SES",
}


def variables_of(container: dict[str, Any]) -> set[str]:
    return {one["Name"] for one in (*container["Environment"], *container["Secrets"])}


class TestCloudFormation:
    def test_settings(self, monkeypatch, bare_environment):
        """The variables of the container are settings, and the service starts with them."""
        for name in variables_of(CONTAINER):
            monkeypatch.setenv(name, VALUES[name])

        assert Config.from_env().workers == 1
        assert variables_of(CONTAINER) == VALUES.keys()

    def test_secrets(self):
        """Secret settings are references, never values of the template."""
        assert {one["Name"] for one in CONTAINER["Secrets"]} == {
            "ROSTER_SECRET_KEY",
            "ROSTER_SMTP_PASSWORD",
        }
        assert {one["ValueFrom"]["Ref"] for one in CONTAINER["Secrets"]} == {
            "SecretKey",
            "SmtpPasswordArn",
        }

    def test_load_balancer(self, bare_environment, monkeypatch):
        """An idle connection is closed by the load balancer first, and TLS is required."""
        monkeypatch.setenv("ROSTER_SECRET_KEY", VALUES["ROSTER_SECRET_KEY"])
        [balancer] = resources_of(CLOUDFORMATION, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        listeners = resources_of(CLOUDFORMATION, "AWS::ElasticLoadBalancingV2::Listener")
        attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
        idle = timedelta(seconds=int(attributes["idle_timeout.timeout_seconds"]))

        assert idle < Config.from_env().keep_alive
        assert attributes["routing.http.xff_header_processing.mode"] == "append"
        assert [(one["Port"], one["Protocol"]) for one in listeners] == [(443, "HTTPS")]

    def test_network(self):
        """Only the load balancer reaches the service."""
        groups = CLOUDFORMATION["Resources"]
        [ingress] = groups["ServiceGroup"]["Properties"]["SecurityGroupIngress"]

        assert ingress["SourceSecurityGroupId"]["Fn::GetAtt"] == ["LoadBalancerGroup", "GroupId"]
        assert "CidrIp" not in ingress

    def test_container(self):
        """The container cannot write, has no capabilities and may finish its requests."""
        assert CONTAINER["ReadonlyRootFilesystem"] is True
        assert CONTAINER["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]
        assert CONTAINER["StopTimeout"] > 30

    def test_health_checks(self):
        """The container is checked as by the image, the target by the readiness probe."""
        [group] = resources_of(CLOUDFORMATION, "AWS::ElasticLoadBalancingV2::TargetGroup")

        assert CONTAINER["HealthCheck"]["Command"][3] in DOCKERFILE
        assert group["HealthCheckPath"] == "/health/ready"


class TestTerraform:
    @pytest.mark.parametrize(
        "type, name, body",
        list(terraform()),
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_schema(self, type, name, body):
        """Resources have the fields of the provider, and all required ones.

        This is no `terraform validate`: expressions are not evaluated.
        """
        assert list(schema_faults(body, SCHEMA["types"][type], f"{type}.{name}")) == []

    def test_faults_of_the_schema(self):
        """A missing, an unknown and a mistyped field are found."""
        body = {"name": "roster", "attribute": [{"name": 1}], "stream": True}

        assert list(schema_faults(body, SCHEMA["types"]["aws_dynamodb_table"], "table")) == [
            "table.attribute lacks type",
            "table.attribute.name is no string: 1",
            "table has no stream",
        ]

    def test_references(self):
        """Every reference leads to a resource, a data source or a variable."""
        text = "".join(path.read_text() for path in (ROOT / "deploy/terraform").iterdir())
        variables = re.findall(r'^variable "(\w+)"', text, re.MULTILINE)
        declared = {f"{type}.{name}" for type, name, _ in terraform()}
        referred = set(re.findall(r"\b((?:data\.)?aws_\w+\.\w+)\.\w", text))

        assert set(re.findall(r"\bvar\.(\w+)", text)) == set(variables)
        assert referred - declared == set()

    def test_same_variables(self):
        """The container has the variables of that of CloudFormation."""
        names = re.findall(r'\bname = "((?:ROSTER|DYNAMODB)_\w+)"', TERRAFORM_CONTAINER)

        assert set(names) == variables_of(CONTAINER)

    @pytest.mark.parametrize(
        "part",
        [
            "readonlyRootFilesystem = true",
            'linuxParameters = {capabilities = {drop = ["ALL"]}}',
            f"stopTimeout = {CONTAINER['StopTimeout']}",
            CONTAINER["HealthCheck"]["Command"][3],
        ],
    )
    def test_same_container(self, part):
        """The container is restricted and checked like that of CloudFormation."""
        assert part in TERRAFORM_CONTAINER


class TestKubernetes:
    def test_settings(self, monkeypatch, bare_environment, tmp_path):
        """The variables are settings, and the service starts with them."""
        for name, value in kubernetes("ConfigMap")["data"].items():
            monkeypatch.setenv(name, value)
        for name in ("ROSTER_SECRET_KEY", "ROSTER_SMTP_PASSWORD"):
            file = tmp_path / name
            file.write_text(VALUES[name])
            monkeypatch.setenv(f"{name}_FILE", str(file))

        assert Config.from_env().email.smtp_host == VALUES["ROSTER_SMTP_HOST"]

    def test_probes(self):
        """A failure of the database removes a pod from the service, and restarts nothing."""
        probes = ("startupProbe", "livenessProbe", "readinessProbe")

        assert [POD_CONTAINER[one]["httpGet"]["path"] for one in probes] == [
            "/health/live",
            "/health/live",
            "/health/ready",
        ]

    def test_stop(self):
        """There is time for the pause and for requests in flight."""
        pause = POD_CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]

        assert POD["terminationGracePeriodSeconds"] > pause + 30

    def test_restrictions(self):
        """The container runs as the user of the image, without any privilege."""
        user = POD["securityContext"]["runAsUser"]
        restricted = POD_CONTAINER["securityContext"]

        assert f"USER {user}:" in DOCKERFILE
        assert restricted["readOnlyRootFilesystem"] is True
        assert restricted["allowPrivilegeEscalation"] is False
        assert restricted["capabilities"]["drop"] == ["ALL"]

    def test_port(self):
        """The ports of service, container and image are the same."""
        [port] = POD_CONTAINER["ports"]
        [exposed] = kubernetes("Service")["spec"]["ports"]

        assert exposed["targetPort"] == port["name"]
        assert f"EXPOSE {port['containerPort']}\n" in DOCKERFILE
