"""Build the client packages: `build.py FOLDER` writes a wheel and an npm tarball to it.

The packages are generated from openapi/openapi.json, whose version is theirs, and completed by the
hand-written files beside this one. The generators have to be on the PATH.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent
DESCRIPTION = PROJECT / "openapi" / "openapi.json"
# Members of bodies that no representation of an object shows.
SECRETS = (
    "access_token",
    "current_password",
    "device_token",
    "key",
    "new_password",
    "otp",
    "password",
    "recovery_codes",
    "secret",
    "token",
    "uri",
    # What a newer service sends can be a secret, too.
    "additional_properties",
)
ATTRS = ("define", "field")
NODE_MODULES = PROJECT / "tests" / "contract" / "node_modules"


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a tool and return its output; end with it if the tool fails."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{command[0]} failed with exit code {done.returncode}.")
    return done.stdout


def hide_secrets(models: Path) -> None:
    """Keep the secrets of bodies out of their representations, and so out of logs."""
    names = "|".join(SECRETS)
    member = re.compile(
        rf"^(    (?:{names}): [^=\n]+?)(?: = (UNSET)| = _attrs_field\((.*)\))?$", re.M
    )

    def hide(found: re.Match[str]) -> str:
        options = ["default=UNSET"] if found[2] else [found[3]] if found[3] else []
        return f"{found[1]} = _attrs_field({', '.join([*options, 'repr=False'])})"

    for path in models.glob("*.py"):
        text = path.read_text()
        hidden, number = member.subn(hide, text)
        defined, field = (f"from attrs import {name} as _attrs_{name}\n" for name in ATTRS)
        if number and field not in text:
            hidden = hidden.replace(defined, defined + field, 1)
        path.write_text(hidden)


def build_python(folder: Path, wheels: Path, version: str) -> None:
    """Generate the Python package, put the hand-written modules over it, and build a wheel."""
    package = folder / "roster_client"
    config = HERE / "python" / "openapi-python-client.yaml"
    options = ("--meta", "none", "--config", config, "--output-path", package)
    output = run("openapi-python-client", "generate", "--path", DESCRIPTION, *options, cwd=folder)
    # A warning is an operation or a schema that the package would not have.
    if "arning" in output:
        sys.exit(output)
    hide_secrets(package / "models")
    shutil.copytree(HERE / "python" / "src" / "roster_client", package, dirs_exist_ok=True)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(HERE / "python" / name, folder)
    shutil.copy(PROJECT / "LICENSE", folder)
    run("hatchling", "build", "-t", "wheel", "-d", wheels, cwd=folder, ROSTER_VERSION=version)


def build_typescript(folder: Path, tarballs: Path, version: str) -> None:
    """Generate the types, compile them with the hand-written modules, and pack them."""
    shutil.copytree(HERE / "typescript" / "src", folder / "src")
    for name in ("tsconfig.json", "README.md"):
        shutil.copy(HERE / "typescript" / name, folder)
    shutil.copy(PROJECT / "LICENSE", folder)
    description = json.loads((HERE / "typescript" / "package.json").read_text())
    (folder / "package.json").write_text(json.dumps({**description, "version": version}, indent=2))
    (folder / "node_modules").symlink_to(NODE_MODULES)
    run("openapi-typescript", DESCRIPTION, "--output", folder / "src" / "schema.ts", cwd=folder)
    run("tsc", "--project", folder / "tsconfig.json", cwd=folder)
    run("npm", "pack", "--ignore-scripts", "--pack-destination", tarballs, cwd=folder)


def main() -> None:
    """Build both packages."""
    if len(sys.argv) != 2:
        sys.exit("usage: build.py FOLDER")
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    version = json.loads(DESCRIPTION.read_text())["info"]["version"]
    with tempfile.TemporaryDirectory() as folder:
        for name, build in (("python", build_python), ("typescript", build_typescript)):
            (Path(folder) / name).mkdir()
            build(Path(folder) / name, target, version)
    print(*sorted(f"{target}/{path.name}" for path in target.glob(f"roster*{version}*")), sep="\n")


if __name__ == "__main__":
    main()
