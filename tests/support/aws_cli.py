"""A stand-in for the AWS command line: `aws_cli.py dynamodb OPERATION --parameter value ...`.

It calls botocore, which the AWS command line is built on, so that names and types of parameters are
checked as there. It knows what the documentation uses: flags, `Name=true`, `wait`, `--query` and
`--output text`.
"""

import json
import os
import sys
from typing import Any

import botocore.session
import jmespath


def main(service: str, operation: str, *arguments: str) -> None:
    client = botocore.session.get_session().create_client(
        service, endpoint_url=os.environ["DYNAMODB_HOST"]
    )
    if operation == "wait":
        waiter, *arguments = arguments  # type: ignore[assignment]
        client.get_waiter(waiter.replace("-", "_")).wait(**_parameters(arguments))
        return
    options = _parameters(arguments)
    query, _ = options.pop("Query", "@"), options.pop("Output", "json")
    answer = getattr(client, operation.replace("-", "_"))(**options)
    found = jmespath.search(query, answer)
    print(found if isinstance(found, str) else json.dumps(found, default=str))


def _parameters(arguments: Any) -> dict[str, Any]:
    """Return the parameters as botocore names them."""
    found: dict[str, Any] = {}
    for word in arguments:
        if word.startswith("--"):
            name = "".join(part.capitalize() for part in word[2:].split("-"))
            found[name] = True
        else:
            found[name] = _value(word)
    return found


def _value(text: str) -> Any:
    name, sign, value = text.partition("=")
    return {name: value == "true"} if sign and value in {"true", "false"} else text


if __name__ == "__main__":
    main(*sys.argv[1:])
