"""Write the software bill of materials in CycloneDX 1.6: `make sbom`.

It lists what a running service contains: the pinned Python packages, and Swagger UI and Pico, whose
files are part of Roster. It contains no paths of this computer and no addresses of a package index.
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
# The npm packages whose files are part of Roster, by the folder of their lock file.
_NPM = {"swagger-ui": "swagger-ui-dist", "pico": "@picocss/pico"}


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


def npm_component(folder: str, name: str) -> dict[str, Any]:
    """Return the component of an npm package whose files are committed."""
    lock = json.loads((ROOT / "tools" / folder / "package-lock.json").read_text())
    package = lock["packages"][f"node_modules/{name}"]
    # In a package URL the @ of a scope is encoded.
    purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
    return {
        "bom-ref": purl,
        "type": "library",
        "name": name,
        "version": package["version"],
        "licenses": [{"license": {"id": package["license"]}}],
        "purl": purl,
    }


def dependencies(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what Roster itself depends on; the lock file does not tell who needs the others."""
    needed = tomllib.loads(_PYPROJECT.read_text())["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", need)[0].lower() for need in needed} | set(_NPM.values())
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
    document["components"] += [npm_component(*each) for each in _NPM.items()]
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
