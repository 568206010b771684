"""Secrets in AWS Secrets Manager: a secret setting may be the ARN of a secret.

An ARN is as long as a good key and contains random letters, so one that is not resolved would be
accepted as a key that is no secret. Each text with a part that looks like an ARN must be one.
"""

import json
import re
from typing import Any

from botocore.config import Config as ClientConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.session import Session

from roster.config.parsing import SettingError

EXAMPLE = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:roster-AbCdEf#key"
_LOOKS_LIKE = re.compile(r"\barn:aws[a-z-]*:[a-z0-9-]+:")
_REFERENCE = re.compile(
    r"(?P<arn>arn:(?:aws|aws-cn|aws-us-gov):secretsmanager:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)"
    r":(?P<account>\d{12}):secret:[\w/+=.@-]+)(?:#(?P<key>.+))?",
    re.ASCII,
)
# A start must not hang: each try of botocore's standard three is cut off.
_CLIENT = ClientConfig(
    connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
_UNREACHABLE = (ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError)


def is_reference(text: str) -> bool:
    """Whether a text contains what looks like an ARN."""
    return _LOOKS_LIKE.search(text) is not None


def fetch(text: str, variable: str) -> str:
    """Return the secret that a reference names: the ARN, or `ARN#KEY` for a field of JSON.

    Credentials are those that botocore finds, and the region is that of the ARN.

    Args:
        text: A text with an ARN.
        variable: The variable that it is from, for errors.

    Raises:
        SettingError: It is not the ARN of a secret, the secret cannot be read, or has no such
            field. The text has no part of the secret.
    """
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        raise SettingError(
            f"{variable} contains an ARN, so it must be the ARN of one secret in AWS Secrets"
            f" Manager and nothing else, as in {EXAMPLE}."
        )
    secret = _secret_string(match["arn"], match["region"], match["account"], variable)
    if match["key"] is not None:
        secret = _field(secret, match["key"], variable)
    if not secret.strip():
        raise SettingError(f"{variable}: the secret in AWS Secrets Manager is empty.")
    return secret.strip()


def _secret_string(arn: str, region: str, account: str, variable: str) -> str:
    try:
        client = Session().create_client("secretsmanager", region_name=region, config=_CLIENT)
        answer = client.get_secret_value(SecretId=arn)
    except ClientError as error:
        reason = _reason(error.response.get("Error", {}), arn, region, account)
    except NoCredentialsError:
        reason = "no AWS credentials were found."
    except _UNREACHABLE:
        reason = (
            f"not reachable in {region}. Check the region of the ARN, and the network or the VPC"
            " endpoint."
        )
    except BotoCoreError as error:
        reason = f"{error}"
    else:
        if "SecretString" in answer:
            return str(answer["SecretString"])
        reason = f"{arn} is binary. Store it as text."
    # Texts of AWS and of proxies may have several lines.
    one_line = " ".join(reason.split())
    raise SettingError(f"{variable}: AWS Secrets Manager: {one_line}") from None


def _reason(error: dict[str, Any], arn: str, region: str, account: str) -> str:
    match error.get("Code"):
        case "AccessDeniedException" | "AccessDenied":
            return (
                f"access denied. Allow secretsmanager:GetSecretValue on {arn}, and kms:Decrypt if"
                " a key of your own encrypts it."
            )
        case "ResourceNotFoundException":
            return (
                f"there is no secret {arn} in {region} of the account {account}. Check name,"
                " region and account, and that the secret has a value."
            )
        case code:
            return f"{code}: {error.get('Message', '')}"


def _field(text: str, key: str, variable: str) -> str:
    """Return a field of a JSON object."""
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise SettingError(
            f"{variable} names the field {key!r}, but the secret in AWS Secrets Manager is not a"
            " JSON object."
        )
    if not isinstance(fields.get(key), str):
        raise SettingError(
            f"{variable}: the secret in AWS Secrets Manager has no field {key!r} with a text."
        )
    return str(fields[key])
