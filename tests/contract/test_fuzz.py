"""schemathesis against the running service: what it makes of the description, all checks on.

`make fuzz` tries 500 values for each operation; the suite tries a few, from the same seed.
"""

import json
import os
from pathlib import Path

import pytest

from tests.contract.conftest import HERE
from tests.support.process_harness import Running

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "20")
SEED = "20261121"
# Each of them ends the session or the account that it is asked for with, and peers have one each.
ENDING = ("sign_out", "sign_out_everywhere", "end_session", "reauthenticate", "delete_user")


@pytest.fixture
def fuzz(run, base):
    """Runs schemathesis; it fails if schemathesis has found anything."""

    def found_nothing(config: Path, *options: str, **environment: str) -> str:
        where = ("--config-file", config, "run", f"{base}/openapi.json")
        how = ("--max-examples", EXAMPLES, "--seed", SEED, "--no-color", "--continue-on-failure")
        done = run("st", *where, *how, *options, **environment)
        return str(done.stdout)

    return found_nothing


@pytest.fixture
def peers(service: Running) -> dict[str, str]:
    """The tokens of two users like any other."""
    names = ("alice", "bob")
    assert {service.sign_up(name).status for name in names} == {201}
    return {name: service.token_of(name) for name in names}


@pytest.fixture
def configuration(peers: dict[str, str], tmp_path: Path) -> Path:
    """The configuration for both."""
    users = [
        {
            "name": name,
            "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}],
        }
        for name, token in peers.items()
    ]
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"auth": users}))
    config = tmp_path / "schemathesis.toml"
    shared = (HERE / "schemathesis.toml").read_text()
    names = json.dumps(list(peers))
    config.write_text(f'{shared}\n[auth.wfc]\npath = "{accounts}"\npeers = {names}\n')
    return config


class TestFuzz:
    @pytest.mark.parametrize("role", ["admin", "user"])
    def test_finds_nothing(self, fuzz, service, base, role):
        """Whatever an admin or a user sends, the answer is one that is described."""
        keeper = {
            "ROSTER_BASE": base,
            "ROSTER_ROLE": role,
            "ROSTER_KEEPER": service.token_of("john"),
        }
        hooks = {"PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "identities"}

        said = fuzz(HERE / "schemathesis.toml", **keeper, **hooks)

        assert "32 selected / 32 total" in said
        assert "Stateful" in said

    def test_peers_do_not_see_each_other(self, fuzz, service, peers, configuration):
        """Nothing that belongs to alice is shown to bob, nor the reverse, as long as both live."""
        options = [word for name in ENDING for word in ("--exclude-operation-id", name)]

        said = fuzz(configuration, *options)

        alive = [service.call("GET", "/v1/users/me", token=token) for token in peers.values()]
        assert "27 selected / 32 total" in said
        assert [answer.status for answer in alive] == [200, 200]
