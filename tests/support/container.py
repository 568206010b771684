"""The image of `make test-image`, run like a container.

The root file system of the image is mounted read-only, and a process in it is process 1 of a
namespace, as the user that the image names, without capabilities and with the environment of the
image only. It has the network of this computer, so that it reaches the local engine.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

IMAGE, BASE = "localhost/roster-test", "localhost/roster-test-base"
# Those of tools/build_image.sh.
_STORAGE = {
    "BUILDAH_ISOLATION": "chroot",
    "STORAGE_DRIVER": os.environ.get("STORAGE_DRIVER", "vfs"),
}
PATIENCE = 60


def buildah(*arguments: str) -> str:
    """Return the output of a command of buildah."""
    return subprocess.run(
        ["buildah", *arguments],
        env={**os.environ, **_STORAGE},
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    ).stdout.strip()


def size_of(image: str) -> int:
    """Return the bytes of the layers of an image."""
    manifest = json.loads(json.loads(buildah("inspect", "--type", "image", image))["Manifest"])
    return sum(layer["size"] for layer in manifest["layers"])


@dataclass(frozen=True)
class Started:
    """A process in the image.

    Attributes:
        process: The process outside, which ends with the one inside and has its exit status.
        pid: The ID of the process inside, as seen from outside.
    """

    process: "subprocess.Popen[str]"
    pid: int


class Image:
    """The image, with a mounted root file system inside of a `with` block."""

    def __enter__(self) -> Self:
        self._container = buildah("from", "--pull-never", IMAGE)
        self.root = Path(buildah("mount", self._container))
        described = json.loads(buildah("inspect", "--type", "image", IMAGE))
        self.config: dict[str, Any] = described["Docker"]["config"]
        return self

    def __exit__(self, *_: object) -> None:
        buildah("rm", self._container)

    def start(
        self, *command: str, output: int | None = None, has_tmp: bool = False, **settings: str
    ) -> Started:
        """Start a command; without one, that of the image.

        Args:
            command: The command and its arguments.
            output: Where to write its output.
            has_tmp: Whether /tmp can be written.
            settings: Variables in addition to those of the image.
        """
        told, info = os.pipe()
        process = subprocess.Popen(
            [*self._sandbox(settings, info, has_tmp), "--", *(command or self._default())],
            pass_fds=[info],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.close(info)
        with os.fdopen(told) as file:
            return Started(process, json.load(file)["child-pid"])

    def run(self, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; standard error is part of the output."""
        started = self.start(*command, output=subprocess.PIPE, **settings)
        output, _ = started.process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(command, started.process.returncode, output)

    def _default(self) -> list[str]:
        return [*self.config["Entrypoint"], *self.config["Cmd"]]

    def _sandbox(self, settings: dict[str, str], info: int, has_tmp: bool) -> list[str]:
        user, _, group = self.config["User"].partition(":")
        variables = dict(one.split("=", 1) for one in self.config["Env"]) | settings
        return [
            "bwrap",
            *("--ro-bind", str(self.root), "/", "--proc", "/proc", "--dev", "/dev"),
            *(("--tmpfs", "/tmp") if has_tmp else ()),
            *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--as-pid-1"),
            *("--uid", user, "--gid", group, "--cap-drop", "ALL"),
            *("--die-with-parent", "--info-fd", str(info), "--clearenv"),
            *(part for name, value in variables.items() for part in ("--setenv", name, value)),
            *("--chdir", self.config["WorkingDir"]),
        ]
