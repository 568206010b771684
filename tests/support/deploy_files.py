"""The files of deploy/, as tests read them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import yaml
from cfnlint.decode import cfn_yaml

from tests.support.documents import ROOT

DEPLOY = ROOT / "deploy"
TABLES, SERVICE = (DEPLOY / "cloudformation" / name for name in ("tables.yaml", "service.yaml"))
TERRAFORM = sorted((DEPLOY / "terraform").glob("*.tf"))
TERRAFORM_TABLES = DEPLOY / "terraform" / "tables.tf.json"
KUBERNETES = DEPLOY / "kubernetes" / "roster.yaml"
_TYPES = {"string": str, "number": int, "boolean": bool, "array": list, "map": dict, "any": object}
_META_ARGUMENTS = {"depends_on", "for_each", "lifecycle"}


def cloudformation(path: Path) -> dict[str, Any]:
    """Return a template, its short forms such as !Ref as objects."""
    return json.loads(json.dumps(cfn_yaml.load(str(path))))


def resources_of(template: dict[str, Any], type: str) -> list[dict[str, Any]]:
    """Return the properties of the resources of a type."""
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == type]


def terraform() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield type, name and body of each resource and data source; those of the latter `data.`."""
    files = [_plain(hcl2.loads(path.read_text())) for path in TERRAFORM]
    for file in [*files, _as_lists(json.loads(TERRAFORM_TABLES.read_text()))]:
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for group in file.get(kind, ()):
                for type, named in group.items():
                    yield from ((f"{prefix}{type}", name, body) for name, body in named.items())


def terraform_resource(type: str, name: str) -> dict[str, Any]:
    """Return the body of a resource."""
    [body] = [body for one, other, body in terraform() if (one, other) == (type, name)]
    return body


def kubernetes(kind: str) -> dict[str, Any]:
    """Return the manifest of a kind."""
    [found] = [one for one in yaml.safe_load_all(KUBERNETES.read_text()) if one["kind"] == kind]
    return found


def schema_faults(body: dict[str, Any], fields: dict[str, Any], where: str) -> Iterator[str]:
    """Yield how a block differs from its schema.

    Args:
        body: The block.
        fields: What tools/terraform_schema.py has written: kinds by names, `!` after required ones.
        where: The place of the block, for the faults.
    """
    known = {name.removesuffix("!"): kind for name, kind in fields.items()}
    for name in fields:
        if name.endswith("!") and name.removesuffix("!") not in body:
            yield f"{where} lacks {name.removesuffix('!')}"
    for name, value in body.items():
        if name in _META_ARGUMENTS:
            continue
        if name not in known:
            yield f"{where} has no {name}"
        elif isinstance(known[name], dict):
            for block in value if isinstance(value, list) else [value]:
                yield from schema_faults(block, known[name], f"{where}.{name}")
        elif not _has_kind(value, known[name]):
            yield f"{where}.{name} is no {known[name]}: {value!r}"


def _has_kind(value: Any, kind: str) -> bool:
    # Its type is known to Terraform only.
    is_expression = isinstance(value, str) and value.startswith("${") and value.endswith("}")
    types = {
        "string": str,
        "number": int,
        "boolean": bool,
        "array": list,
        "map": dict,
        "any": object,
    }
    return is_expression or isinstance(value, types[kind])


def _as_lists(file: dict[str, Any]) -> dict[str, Any]:
    """Return a file in JSON syntax in the form of the parser for the other one."""
    return {kind: [groups] for kind, groups in file.items()}


def _plain(value: Any) -> Any:
    """Return what the parser has read, without quotes and its own marks."""
    match value:
        case dict():
            return {_plain(k): _plain(v) for k, v in value.items() if not k.startswith("__")}
        case list():
            return [_plain(one) for one in value]
        case str():
            return re.sub(r'\A"(.*)"\Z', r"\1", value, flags=re.DOTALL)
        case _:
            return value
