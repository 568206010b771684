"""AWS's own test vectors, out of botocore's source distribution, which `make test` downloads.

The SigV4 vectors are those of awslabs/aws-c-auth, the protocol vectors those of Smithy. They are
not copied into this repository.
"""

import json
import tarfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore
import pytest

from flask_pynamodb.curl import codec
from flask_pynamodb.curl.errors import Response, error_response
from flask_pynamodb.curl.signing import Signer, canonical_path, canonical_query

ARCHIVE = (
    Path(__file__).parents[3] / ".venv" / "vectors" / f"botocore-{botocore.__version__}.tar.gz"
)
SUITE = "tests/unit/auth/aws4_testsuite/"
PROTOCOL = "tests/unit/protocols/{}/json_1_0.json"
AKID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = "20150830T123600Z"

# Vectors of what DynamoDB has not, each with the reason.
NOT_SENT = {
    "SDKAppliedContentEncoding_awsJson1_0": "no operation of DynamoDB compresses its request",
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": "the same",
    "AwsJson10SerializeBlobUnionValue": "binary values have shapes of their own: B and BS",
}
NOT_READ = {
    "AwsJson10DeserializeBlobUnionValue": "binary values have shapes of their own: B and BS",
    "AwsJson10DeserializeIgnoreType": "no answer of DynamoDB is a tagged union",
    "AwsJson10DeserializeAllowNulls": "the same",
    "AwsJson10ServiceRespondsWithNoPayload": "stricter: no operation on data answers with nothing",
    "AwsJson10HandlesUnexpectedJsonOutput": "unknown members are refused or kept by the client",
}


@cache
def vectors() -> dict[str, str]:
    """The texts of the vectors by their paths."""
    if not ARCHIVE.exists():
        raise FileNotFoundError(f"{ARCHIVE} is missing: `make test` downloads it.")
    wanted = (SUITE, PROTOCOL.format("input"), PROTOCOL.format("output"))
    found = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            path = member.name.partition("/")[2]
            if member.isfile() and path.startswith(wanted):
                found[path] = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
    return found


def signature_cases() -> list[str]:
    return sorted(path[: -len(".req")] for path in vectors() if path.endswith(".req"))


def protocol_cases(direction: str) -> dict[str, dict[str, Any]]:
    suites = json.loads(vectors()[PROTOCOL.format(direction)])
    return {case["id"]: case for suite in suites for case in suite["cases"]}


def parsed(request: str) -> tuple[str, str, dict[str, str], bytes]:
    """Return method, target, headers and body of a raw request, with unfolded lines."""
    head, _, body = request.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.rstrip("\n").split("\n")
    method, rest = first.split(" ", 1)
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        if line[0] in " \t":
            headers[name] += f" {line.strip()}"
            continue
        name, _, value = line.partition(":")
        name = name.lower()
        headers[name] = f"{headers[name]},{value.strip()}" if name in headers else value
    return method, rest.rpartition(" ")[0], headers, body.encode()


class TestSignature:
    @pytest.mark.parametrize("case", signature_cases())
    def test_vector(self, case):
        """Canonical request, string to sign and header are AWS's, letter for letter."""
        wanted = {kind: vectors()[f"{case}.{kind}"] for kind in ("req", "creq", "sts", "authz")}
        wanted = {kind: text.replace("\r", "") for kind, text in wanted.items()}
        method, target, headers, body = parsed(wanted["req"])
        # The vectors with a token that is added afterwards sign it as they show it.
        signed = wanted["authz"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        token = [line for line in wanted["creq"].split("\n") if "x-amz-security-token:" in line]
        if token and "x-amz-security-token" not in headers:
            headers["x-amz-security-token"] = token[0].partition(":")[2]
        path, _, query = target.partition("?")
        signature = Signer("us-east-1", "service").prepare(
            SimpleNamespace(access_key=AKID, secret_key=SECRET, token=None),
            MOMENT,
            (canonical_path(path), canonical_query(query)),
            {name: headers[name] for name in signed},
            method=method,
        )

        assert signature.canonical_request(body) == wanted["creq"]
        assert signature.string_to_sign(body) == wanted["sts"]
        assert signature.authorization(body) == wanted["authz"]

    def test_there_are_all(self):
        """The suite of AWS has 34 vectors; none is left out."""
        assert len(signature_cases()) == 34


class TestProtocol:
    @pytest.mark.parametrize("name", sorted(protocol_cases("input").keys() - NOT_SENT.keys()))
    def test_request(self, name):
        """Parameters become the JSON that the protocol wants."""
        case = protocol_cases("input")[name]

        assert json.loads(codec.encode(case.get("params", {}))) == json.loads(
            case["serialized"].get("body") or "{}"
        )

    @pytest.mark.parametrize("name", sorted(protocol_cases("output").keys() - NOT_READ.keys()))
    def test_reply(self, name):
        """Answers and errors, in every spelling of their codes, are read as botocore reads them."""
        case = protocol_cases("output")[name]
        given = case["response"]
        headers = {key.lower(): value for key, value in given.get("headers", {}).items()}
        reply = Response(given["status_code"], headers, given.get("body", "").encode())

        if "errorCode" not in case:
            assert codec.decode(reply.body) == case["result"]
        else:
            error = error_response(reply)
            assert error["Error"]["Code"] == case["errorCode"]
            assert case.get("errorMessage") in (None, error["Error"]["Message"])
            assert {key: error[key] for key in case["error"]} == case["error"]

    def test_left_out_are_there(self):
        """Every vector that is skipped with a reason exists."""
        assert NOT_SENT.keys() <= protocol_cases("input").keys()
        assert NOT_READ.keys() <= protocol_cases("output").keys()
