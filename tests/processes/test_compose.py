"""The demo of compose.yaml, without Docker: its command and its environment on this computer."""

import yaml

from flask_pynamodb.local import Engine
from tests.support.process_harness import PROJECT, ROSTER, ProcessHarness, free_port
from tests.support.secret_key import SECRET_KEY

IS_COVERED = False


def test_demo(harness: ProcessHarness, dynamodb_engine: Engine):
    """The command serves with demo users on the tables of DYNAMODB_HOST, and sends emails."""
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text())
    demo = compose["services"]["demo"]
    port = free_port()
    settings = {
        **demo["environment"],
        "ROSTER_SECRET_KEY": SECRET_KEY,
        "ROSTER_SMTP_HOST": "127.0.0.1",
        "DYNAMODB_HOST": dynamodb_engine.host,
        "DYNAMODB_TABLE_PREFIX": "compose-",
    }
    del settings["ROSTER_SECRET_KEY_FILE"]
    # The address of a container is not one of this computer.
    here = {"0.0.0.0": "127.0.0.1", "/var/lib/demo": str(harness.data)}
    command = [here.get(word, word) for word in demo["command"]]
    running = harness.start(ROSTER, *command, "--port", str(port), port=port, **settings)

    assert running.until_ready().sign_in("john").status == 201
    assert "/dev/mail" not in running.said
