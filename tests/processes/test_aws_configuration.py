"""Wrong AWS configuration: one line and exit status 1, whatever botocore raises."""

from pathlib import Path

import pytest

from tests.support.process_harness import ProcessHarness, free_port, only_line
from tests.support.secret_key import SECRET_KEY

IS_COVERED = False
COMPLETE = {
    "ROSTER_SECRET_KEY": SECRET_KEY,
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    # The discard port: no request reaches a database.
    "DYNAMODB_HOST": "http://127.0.0.1:9",
    "DYNAMODB_MAX_RETRY_ATTEMPTS": "0",
}
PROFILES = """
[profile sso]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = reader
[profile process]
credential_process = /nonexistent/tool
[profile source]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = unknown
[profile loop]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = loop
"""
# The wrong settings, which of COMPLETE are unset, and what the line has to say.
WRONG = {
    "profile": ({"AWS_PROFILE": "unknown"}, "unknown"),
    "region": ({"AWS_REGION": "eu central 1"}, "AWS_REGION"),
    "config": ({"AWS_CONFIG_FILE": "malformed"}, "parse config file"),
    "endpoint": ({"DYNAMODB_HOST": "", "AWS_ENDPOINT_URL": "nonsense"}, "nonsense"),
    "account": ({"DYNAMODB_HOST": "", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"}, "AccountID"),
    "defaults": ({"AWS_DEFAULTS_MODE": "unknown"}, "defaults mode"),
    "sso": ({"AWS_PROFILE": "sso"}, "SSO"),
    "process": ({"AWS_PROFILE": "process"}, "/nonexistent/tool"),
    "source": ({"AWS_PROFILE": "source"}, "source_profile"),
    "loop": ({"AWS_PROFILE": "loop"}, "loop"),
    "token file": (
        {
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token",
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/reader",
        },
        "/nonexistent/token",
    ),
}
WITHOUT_KEYS = {"sso", "process", "source", "loop", "token file"}
COMMANDS = {
    "serve": ("serve", "--port", str(free_port())),
    "users": ("users", "list"),
    "events": ("events", "list", "--user", "ada"),
    "keys": ("keys", "status"),
    "check": ("dynamodb", "check"),
    "create": ("dynamodb", "create"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", WRONG)
def test_one_line(harness: ProcessHarness, tmp_path: Path, name: str, command: str):
    """The line names what is wrong."""
    (tmp_path / "config").write_text(PROFILES)
    (tmp_path / "malformed").write_text("[default\nregion = x")
    changes, hint = WRONG[name]
    settings = {**COMPLETE, "AWS_CONFIG_FILE": "config", **changes}
    settings["AWS_CONFIG_FILE"] = str(tmp_path / settings["AWS_CONFIG_FILE"])
    kept = {
        key: value
        for key, value in settings.items()
        if value and not (name in WITHOUT_KEYS and "ACCESS_KEY" in key)
    }
    status, said = harness.run_forked(*COMMANDS[command], **kept)

    assert status == 1, said
    assert hint in only_line(said)
