"""Write the software bill of materials in CycloneDX 1.6: `make sbom`.

It lists what a running service contains: the pinned Python packages, and Swagger UI, whose files
are part of Roster. It contains no paths of this computer and no addresses of a package index.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
_PYPROJECT = ROOT / "pyproject.toml"
_SWAGGER_UI = ROOT / "tools/swagger-ui/package-lock.json"


def python_components() -> dict[str, Any]:
    """Return the document of cyclonedx-py for the pinned packages."""
    command = [str(Path(sys.executable).parent / "cyclonedx-py"), "requirements"]
    command += ["--pyproject", str(_PYPROJECT), "--output-reproducible", "--spec-version", "1.6"]
    command += [str(ROOT / "requirements/run.txt")]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    document: dict[str, Any] = json.loads(output.stdout)
    return document


def identify(component: dict[str, Any]) -> None:
    """Identify a component by its package URL and hashes, instead of by line and index."""
    for reference in component.pop("externalReferences", ()):
        component.setdefault("hashes", []).extend(reference.get("hashes", ()))
    component.pop("description", None)
    component["bom-ref"] = component["purl"]


def swagger_ui() -> dict[str, Any]:
    """Return the component of the files in api/static/swagger-ui."""
    package = json.loads(_SWAGGER_UI.read_text())["packages"]["node_modules/swagger-ui-dist"]
    purl = f"pkg:npm/swagger-ui-dist@{package['version']}"
    return {
        "bom-ref": purl,
        "type": "library",
        "name": "swagger-ui-dist",
        "version": package["version"],
        "licenses": [{"license": {"id": package["license"]}}],
        "purl": purl,
    }


def dependencies(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what Roster itself depends on; the lock file does not tell who needs the others."""
    needed = tomllib.loads(_PYPROJECT.read_text())["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", need)[0].lower() for need in needed} | {"swagger-ui-dist"}
    found = [c["bom-ref"] for c in document["components"] if c["name"].lower() in names]
    return [
        {"ref": document["metadata"]["component"]["bom-ref"], "dependsOn": sorted(found)},
        *({"ref": component["bom-ref"]} for component in document["components"]),
    ]


def main() -> int:
    """Write the document, after its validation against the schema."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    document = python_components()
    for component in document["components"]:
        identify(component)
    document["components"].append(swagger_ui())
    document["dependencies"] = dependencies(document)
    text = json.dumps(document, indent=2) + "\n"
    if (error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)) is not None:
        print(f"The document does not conform to CycloneDX 1.6: {error}", file=sys.stderr)
        return 1
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    print(f"{output}: {len(document['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
