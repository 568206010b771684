"""Secrets in AWS Secrets Manager, which moto's server replaces."""

import json
from collections.abc import Callable, Iterator

import pytest
import requests
from botocore.session import Session
from moto.server import ThreadedMotoServer

from roster.config import DYNAMODB_SETTINGS, Config, EmailSettings, SettingError, declared_in
from roster.config.setting import Setting, as_text
from tests.support.process_harness import free_port
from tests.support.scripted_server import ScriptedServer, answer
from tests.support.secret_key import SECRET_KEY

REGION = "eu-west-1"
SECRETS = [
    one
    for one in (
        *declared_in(Config).values(),
        *declared_in(EmailSettings).values(),
        *DYNAMODB_SETTINGS.values(),
    )
    if one.is_secret
]
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:roster-AbCdEf"
Store = Callable[..., str]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path, endpoint) -> None:
    """Set credentials and the endpoint, as AWS does for a task, and no setting."""
    for name in ("ROSTER_SECRET_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint)


@pytest.fixture
def store(endpoint) -> Iterator[Store]:
    """Return a function that stores a secret and returns its ARN."""
    client = Session().create_client("secretsmanager", region_name=REGION, endpoint_url=endpoint)

    def create(**content) -> str:
        return client.create_secret(Name="roster/test", **content)["ARN"]

    yield create
    requests.post(f"{endpoint}/moto-api/reset", timeout=10).raise_for_status()


@pytest.fixture
def scripted(monkeypatch) -> Iterator[ScriptedServer]:
    """A server that answers like AWS where moto does not."""
    with ScriptedServer() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.host)
        yield server


def faults(monkeypatch, text: str) -> str:
    """Return the error of a secret key, which must not say that it is not set."""
    monkeypatch.setenv("ROSTER_SECRET_KEY", text)
    with pytest.raises(SettingError) as error:
        Config.from_env()
    assert "not set" not in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


class TestFetch:
    @pytest.mark.parametrize("declared", SECRETS, ids=lambda one: one.variable)
    def test_every_secret(self, monkeypatch, store, declared: Setting):
        """Each secret setting may be an ARN, and is parsed like a text in the variable."""
        monkeypatch.setenv(declared.variable, store(SecretString=f"{declared.example}\n"))

        assert as_text(declared.read(None)) == declared.example

    def test_field(self, monkeypatch, store):
        """`#key` selects a field of a JSON object."""
        text = json.dumps({"secret-key": SECRET_KEY, "password": "another"})
        monkeypatch.setenv("ROSTER_SECRET_KEY", f"{store(SecretString=text)}#secret-key")

        assert Config.from_env().secret_keys == (SECRET_KEY,)

    def test_file(self, monkeypatch, store, tmp_path):
        """An ARN in a file is resolved, too, instead of being a key that is no secret."""
        file = tmp_path / "key"
        file.write_text(f"{store(SecretString=SECRET_KEY)}\n")
        monkeypatch.setenv("ROSTER_SECRET_KEY_FILE", str(file))

        assert Config.from_env().secret_keys == (SECRET_KEY,)

    def test_several_keys(self, monkeypatch, store):
        """During a rotation the secret has both keys, the current one first."""
        monkeypatch.setenv("ROSTER_SECRET_KEY", store(SecretString=f"{SECRET_KEY},older"))

        assert Config.from_env().secret_keys == (SECRET_KEY, "older")

    def test_not_a_secret_setting(self, monkeypatch):
        """A setting that is no secret is not fetched."""
        monkeypatch.setenv("ROSTER_SECRET_KEY", SECRET_KEY)
        monkeypatch.setenv("ROSTER_NAME", "arn aws")

        assert Config.from_env().name == "arn aws"


class TestErrors:
    def test_not_found(self, monkeypatch):
        """An ARN of a secret that does not exist is one line with region and account."""
        error = faults(monkeypatch, ARN)

        assert error == (
            f"ROSTER_SECRET_KEY: AWS Secrets Manager: there is no secret {ARN} in eu-west-1 of the"
            " account 123456789012. Check name, region and account, and that the secret has a"
            " value."
        )

    def test_another_region(self, monkeypatch, store):
        """A secret is searched in the region of its ARN."""
        arn = store(SecretString=SECRET_KEY).replace(REGION, "eu-central-1")

        assert "in eu-central-1 of the account" in faults(monkeypatch, arn)

    def test_access_denied(self, monkeypatch, scripted):
        """The error for a role without the permission names the permission."""
        scripted.play(answer(400, {"__type": "AccessDeniedException", "Message": "no"}))

        error = faults(monkeypatch, ARN)

        assert error.startswith("ROSTER_SECRET_KEY: AWS Secrets Manager: access denied. Allow")
        assert f"Allow secretsmanager:GetSecretValue on {ARN}, and" in error

    def test_text_of_several_lines(self, monkeypatch, scripted):
        """What AWS or a proxy says is one line."""
        scripted.play(answer(400, {"__type": "InvalidParameterException", "message": "one\ntwo"}))

        assert faults(monkeypatch, ARN).endswith("InvalidParameterException: one two")

    def test_no_credentials(self, monkeypatch):
        """Missing credentials are one line."""
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

        assert faults(monkeypatch, ARN).endswith("no AWS credentials were found.")

    def test_incomplete_credentials(self, monkeypatch):
        """What botocore says about its own settings is passed on."""
        monkeypatch.setenv("AWS_PROFILE", "unknown")

        assert "profile (unknown) could not be found" in faults(monkeypatch, ARN)

    def test_unreachable(self, monkeypatch):
        """An endpoint that does not respond is one line about region and network."""
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{free_port()}")

        assert "not reachable in eu-west-1. Check the region" in faults(monkeypatch, ARN)

    def test_deleted(self, monkeypatch, store, endpoint):
        """An error without a text of its own is passed on with its code."""
        arn = store(SecretString=SECRET_KEY)
        client = Session().create_client(
            "secretsmanager", region_name=REGION, endpoint_url=endpoint
        )
        client.delete_secret(SecretId=arn)

        assert "AWS Secrets Manager: InvalidRequestException: " in faults(monkeypatch, arn)

    @pytest.mark.parametrize(
        "content, suffix, reason",
        [
            ({"SecretBinary": b"hunter2"}, "", "is binary. Store it as text."),
            ({"SecretString": " \n"}, "", "the secret in AWS Secrets Manager is empty."),
            ({"SecretString": "hunter2"}, "#key", "is not a JSON object."),
            ({"SecretString": '["hunter2"]'}, "#key", "is not a JSON object."),
            ({"SecretString": '{"other": "hunter2"}'}, "#key", "has no field 'key' with a text."),
            ({"SecretString": '{"key": 2}'}, "#key", "has no field 'key' with a text."),
            ({"SecretString": '{"key": ""}'}, "#key", "secret in AWS Secrets Manager is empty."),
        ],
    )
    def test_content(self, monkeypatch, store, content, suffix, reason):
        """A secret that cannot be used is one line, without a part of it."""
        error = faults(monkeypatch, store(**content) + suffix)

        assert error.startswith("ROSTER_SECRET_KEY")
        assert reason in error
        assert "hunter2" not in error

    def test_weak_key(self, monkeypatch, store):
        """A key from Secrets Manager must be a good one."""
        error = faults(monkeypatch, store(SecretString="hunter2"))

        assert error.startswith("The key in ROSTER_SECRET_KEY is too short (7 of 32 bytes).")

    @pytest.mark.parametrize(
        "text",
        [
            "arn:aws:ssm:eu-west-1:123456789012:parameter/roster",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
            "arn:aws:secretsmanager:west:123456789012:secret:roster-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:1234:secret:roster-AbCdEf",
            f"{ARN}#",
            f"{ARN}:key::",
            f"{ARN},{ARN}",
            f"{SECRET_KEY},{ARN}",
            f"key={ARN}",
        ],
    )
    def test_not_one_arn(self, monkeypatch, text):
        """A text with an ARN in it is never a key; the error does not repeat the text."""
        error = faults(monkeypatch, text)

        assert error.startswith("ROSTER_SECRET_KEY contains an ARN, so it must be the ARN of one")
        assert SECRET_KEY not in error

    def test_all_at_once(self, monkeypatch):
        """Every faulty secret is named."""
        monkeypatch.setenv("ROSTER_TOTP_SECRETS", ARN)

        assert "ROSTER_TOTP_SECRETS: AWS" in faults(monkeypatch, ARN)
