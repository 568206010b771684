"""The commands of docs/backups.md, run in order against moto's server."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from moto.server import ThreadedMotoServer

from models import db
from tests.support.documents import DOCS, ROOT, blocks, rows
from tests.support.person import PASSWORD
from tests.support.process_harness import ROSTER, ProcessHarness, free_port
from tests.support.secret_key import SECRET_KEY

PAGE = DOCS / "backups.md"
# AWS keeps the billing mode of a table that it restores; moto does not.
BILLING = """
for table in $TABLES; do
  aws dynamodb update-table --table-name "restored-$table" --billing-mode PAY_PER_REQUEST
done
"""
# The page has some fifty commands, each a process of a second or more on a machine with other load.
PATIENCE = 600
pytestmark = pytest.mark.timeout(2 * PATIENCE)
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings for moto's server, with `aws` and `roster` on the PATH."""
    folder = tmp_path_factory.mktemp("bin")
    aws = folder / "aws"
    stand_in = ROOT / "tests" / "support" / "aws_cli.py"
    aws.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(stand_in)])} "$@"\n')
    aws.chmod(0o755)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "PATH": os.pathsep.join([str(folder), str(ROSTER.parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "DYNAMODB_HOST": f"http://{host}:{port}",
        "ROSTER_SECRET_KEY": SECRET_KEY,
    }
    server.stop()


@pytest.fixture(scope="module")
def shell(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return a function that runs commands in one folder."""
    folder = tmp_path_factory.mktemp("shell")

    def shell(script: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return shell


@pytest.fixture(scope="module")
def restored(shell: Shell) -> "subprocess.CompletedProcess[str]":
    """The output of the commands of the page, on tables with one user."""
    created = shell(
        "roster dynamodb create && "
        f"echo '{PASSWORD}' | roster users create ada ada@example.com --password-stdin"
    )
    assert created.returncode == 0, created.stderr
    text = PAGE.read_text().replace("\n   ", "\n")
    enable, backup, restore, *rest = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.M)
    return shell("".join([enable, backup, restore, BILLING, *rest]))


class TestTables:
    def test_every_table_has_a_reason(self):
        """The page says for each table whether and why it is backed up."""
        listed = {name for row in rows(PAGE) for name in row[0].replace("`", "").split(", ")}

        assert listed == {model.Meta.table_name for model in db.models}

    def test_commands_are_for_the_listed_ones(self):
        """The commands are for exactly the tables that need a backup."""
        needed = {
            name
            for row in rows(PAGE)
            for name in row[0].replace("`", "").split(", ")
            if row[1] == "yes"
        }
        [line, *_] = blocks(PAGE, "bash")[0].splitlines()

        assert set(shlex.split(line)[0].removeprefix("TABLES=").split()) == needed


class TestRestore:
    def test_commands_run_to_their_end(self, restored):
        """Backups, restore and check succeed, and the events of before can be read."""
        assert restored.returncode == 0, restored.stderr
        assert "All tables match the models." in restored.stdout
        assert "user.registered" in restored.stdout

    def test_users_sign_in(self, restored, environment, tmp_path):
        """The service starts on the restored tables, and a user signs in with the old password."""
        port = free_port()
        harness = ProcessHarness(tmp_path, is_covered=False)
        settings = {**environment, "DYNAMODB_TABLE_PREFIX": "restored-"}
        try:
            service = harness.start(
                ROSTER, "serve", "--port", str(port), "--workers", "1", port=port, **settings
            ).until_ready()
            opened = service.sign_in("ada")
        finally:
            harness.close()

        assert (restored.returncode, opened.status) == (0, 201)
