"""Write the schema of deploy/terraform: `python tools/terraform_schema.py WHEEL`.

Terraform has the schema of its provider in a binary. The bindings of the same provider for Python
carry it, too: the package `cdktf-cdktf-provider-aws` on PyPI, 59 MB. What the files use of it is
committed, so that the tests need neither.
"""

import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PATH = ROOT / "tests/deploy/terraform-schema.json"
_PACKAGE = "@cdktf/provider-aws"
# `Docs at Terraform Registry: {@link https://.../6.25.0/docs/resources/lb#name Lb#name}`
_LINK = re.compile(r"/hashicorp/aws/([\d.]+)/docs/[^#]+#(\w+) ")
_USED = re.compile(r'^(resource|data) "(aws_\w+)"', re.MULTILINE)

Fields = dict[str, Any]


def used_types() -> list[str]:
    """Return the resources and data sources of the files, the latter as `data.aws_...`."""
    folder = ROOT / "deploy/terraform"
    found = [match for path in folder.glob("*.tf") for match in _USED.findall(path.read_text())]
    tables = json.loads((folder / "tables.tf.json").read_text())
    found += [(kind, name) for kind in ("resource", "data") for name in tables[kind]]
    return sorted({name if kind == "resource" else f"data.{name}" for kind, name in found})


def read_types(wheel: Path) -> dict[str, Any]:
    """Return the types of the bindings by their full names."""
    with zipfile.ZipFile(wheel) as archive:
        [inner] = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
        with archive.open(inner) as file, tarfile.open(fileobj=file) as package:
            assembly = package.extractfile("package/.jsii")
            assert assembly is not None
            types: dict[str, Any] = json.load(assembly)["types"]
            return types


def schema_of(name: str, types: dict[str, Any]) -> Fields:
    """Return the fields of a resource or data source."""
    words = name.replace("data.aws", "data_aws").removeprefix("aws_").split("_")
    pascal = "".join(word.title() for word in words)
    module = pascal[0].lower() + pascal[1:]
    return _fields(types[f"{_PACKAGE}.{module}.{pascal}Config"], types)


def _fields(described: Any, types: dict[str, Any]) -> Fields:
    """Return the fields of a block by their names, with `!` after those that are required."""
    fields = {}
    for one in described.get("properties", ()):
        [name] = {match[2] for match in _LINK.finditer(json.dumps(one["docs"]))}
        nested = [type for type in _referred(one["type"]) if type.startswith(_PACKAGE)]
        kind = _fields(types[nested[0]], types) if nested else _kind(one["type"])
        fields[name if one.get("optional") else f"{name}!"] = kind
    return dict(sorted(fields.items()))


def _referred(described: Any) -> Iterator[str]:
    if isinstance(described, dict):
        if "fqn" in described:
            yield described["fqn"]
        for value in described.values():
            yield from _referred(value)
    elif isinstance(described, list):
        for value in described:
            yield from _referred(value)


def _kind(described: Any) -> str:
    text = json.dumps(described)
    for kind in ("map", "array"):
        if f'"kind": "{kind}"' in text:
            return kind
    found = re.search(r'"primitive": "(\w+)"', text)
    assert found, text
    return found[1]


def main() -> None:
    """Write the schema of what the files use."""
    types = read_types(Path(sys.argv[1]))
    config = types[f"{_PACKAGE}.lb.LbConfig"]["properties"][0]
    found = _LINK.search(json.dumps(config["docs"]))
    assert found
    document = {
        "//": "Written by tools/terraform_schema.py. Do not edit.",
        "provider": f"hashicorp/aws {found[1]}",
        "types": {name: schema_of(name, types) for name in used_types()},
    }
    PATH.write_text(f"{json.dumps(document, indent=1)}\n")
    print(f"wrote {PATH.relative_to(ROOT)} from {document['provider']}")


if __name__ == "__main__":
    main()
