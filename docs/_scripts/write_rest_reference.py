"""Writes docs/rest-api.md from the committed OpenAPI document.

Run `python docs/_scripts/write_rest_reference.py` after `make openapi`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
PATH = _ROOT / "docs" / "rest-api.md"
_DOCUMENT = _ROOT / "openapi" / "openapi.json"

_METHODS = ("get", "post", "put", "patch", "delete")

_INTRODUCTION = """\
# REST API

<!-- Written by `python docs/_scripts/write_rest_reference.py` from openapi/openapi.json. Do not edit. -->

Every operation of version {version}, from the OpenAPI document that the service returns at `/openapi.json`.
[Errors](errors.md) explains the types of errors, [Accounts](accounts.md) shows the operations in use, and how to [repeat a request](accounts.md#repeat-a-request-safely) whose response is lost.
A field with a star is required.
"""  # noqa: E501 - Markdown has one sentence per line, however long.


def render() -> str:
    """Return the page as it is committed."""
    document = json.loads(_DOCUMENT.read_text())
    parts = [_INTRODUCTION.format(version=document["info"]["version"])]
    for tag in document["tags"]:
        parts += [f"## {tag['name']}\n", f"{_sentences(tag['description'])}\n"]
        for path, item in document["paths"].items():
            for method in (method for method in _METHODS if method in item):
                if tag["name"] in item[method]["tags"]:
                    parts.append(_operation(document, method, path, item))
    parts.append("## Schemas\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(_schema(name, schema))
    return "\n".join(parts)


def _operation(document: Any, method: str, path: str, item: Any) -> str:
    operation = item[method]
    lines = [f"### {operation['summary']}\n", f"```text\n{method.upper()} {path}\n```\n"]
    if description := operation.get("description"):
        lines.append(f"{_sentences(description)}\n")
    security = operation.get("security", document.get("security", []))
    names = [f"`{name}`" for requirement in security for name in requirement]
    is_optional = not security or {} in security
    lines.append(f"Authentication: {' or '.join([*names, *['none'] * is_optional])}.\n")
    if parameters := [*item.get("parameters", ()), *operation.get("parameters", ())]:
        rows = [
            (f"`{one['name']}`", one["in"], _type(one["schema"]), _cell(one.get("description", "")))
            for one in parameters
        ]
        lines.append(_table(("parameter", "in", "type", "meaning"), rows))
    if body := operation.get("requestBody"):
        kinds = " or ".join(f"`{kind}`" for kind in body["content"])
        schema = next(iter(body["content"].values()))["schema"]
        lines.append(f"Body: {_type(schema)} as {kinds}.\n")
    rows = [
        (status, _cell(_link_types(response["description"])), _response_type(response))
        for status, response in sorted(operation["responses"].items())
    ]
    lines.append(_table(("status", "meaning", "body"), rows))
    return "\n".join(lines)


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    lines = [f"### {name}\n"]
    if description := schema.get("description"):
        lines.append(f"{_sentences(description)}\n")
    required = schema.get("required", ())
    rows = [
        (f"`{field}`{'*' if field in required else ''}", _type(one), _cell(_meaning(one)))
        for field, one in schema.get("properties", {}).items()
    ]
    lines.append(_table(("field", "type", "meaning"), rows))
    return "\n".join(lines)


def _meaning(schema: Mapping[str, Any]) -> str:
    parts = [schema.get("description", ""), *_bounds(schema)]
    return "; ".join(filter(None, parts))


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    if values := schema.get("enum"):
        yield "one of " + ", ".join(f"`{value}`" for value in values)
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if high is not None and not values:
        yield f"{low} to {high} characters" if low else f"at most {high} characters"
    if "minimum" in schema or "maximum" in schema:
        yield f"{schema.get('minimum', '')} to {schema.get('maximum', '')}"
    if (items := schema.get("maxItems")) is not None:
        yield f"at most {items} items"


def _type(schema: Mapping[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf"):
        return " or ".join(map(_type, choices))
    kinds = schema.get("type", "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    texts = [f"array of {_type(schema['items'])}" if kind == "array" else kind for kind in kinds]
    if schema.get("format"):
        texts[0] += f" ({schema['format']})"
    return " or ".join(texts)


def _response_type(response: Mapping[str, Any]) -> str:
    contents = response.get("content", {})
    return " or ".join(_type(one["schema"]) for one in contents.values() if "schema" in one)


def _link_types(text: str) -> str:
    # `email-taken`: Email address is already in use
    return re.sub(r"`([a-z-]+)`(?=: )", r"[`\1`](errors.md#\1)", text)


def _sentences(text: str) -> str:
    """Return a text with one sentence per line, paragraphs kept."""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(re.sub(r"(?<=\.) (?=[A-Z`])", "\n", part) for part in paragraphs)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(render())
