"""schemathesis with all checks against the running service.

`make fuzz` generates 500 examples per operation; the suite a few, from the same seed.
"""

import json
import os
from pathlib import Path

import pytest

from tests.contract.conftest import HERE, PROJECT
from tests.support.process_harness import Running

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "20")
SEED = "20261121"
# These end the session or the account that makes the request, and each peer has only one.
ENDING_OPERATIONS = (
    "sign_out",
    "sign_out_everywhere",
    "end_session",
    "reauthenticate",
    "delete_user",
)


@pytest.fixture
def fuzz(run, base):
    """Run schemathesis; fail if it reports a failure."""

    def run_schemathesis(config: Path, *options: str, **environment: str) -> str:
        target = ("--config-file", config, "run", f"{base}/openapi.json")
        limits = ("--max-examples", EXAMPLES, "--seed", SEED, "--no-color", "--continue-on-failure")
        done = run("st", *target, *limits, *options, **environment)
        return str(done.stdout)

    return run_schemathesis


@pytest.fixture
def peers(service: Running) -> dict[str, str]:
    """The tokens of two regular users."""
    names = ("alice", "bob")
    assert {service.sign_up(name).status for name in names} == {201}
    return {name: service.token_of(name) for name in names}


@pytest.fixture
def configuration(peers: dict[str, str], tmp_path: Path) -> Path:
    """Write the configuration with both users."""
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
        """Every response to an admin or a user conforms to the API description."""
        environment = {
            "ROSTER_BASE": base,
            "ROSTER_ROLE": role,
            "ROSTER_KEEPER": service.token_of("john"),
        }
        hooks = {
            "PYTHONPATH": str(PROJECT),
            "SCHEMATHESIS_HOOKS": "tests.support.contract_identities",
        }

        output = fuzz(HERE / "schemathesis.toml", **environment, **hooks)

        assert "54 selected / 54 total" in output
        assert "Stateful" in output

    def test_peers_do_not_see_each_other(self, fuzz, service, peers, configuration):
        """Neither alice nor bob can read resources of the other."""
        options = [word for name in ENDING_OPERATIONS for word in ("--exclude-operation-id", name)]

        output = fuzz(configuration, *options)

        responses = [service.call("GET", "/v1/users/me", token=token) for token in peers.values()]
        assert "49 selected / 54 total" in output
        assert [response.status for response in responses] == [200, 200]
