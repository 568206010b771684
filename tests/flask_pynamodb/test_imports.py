"""What an app imports with the extension: not what only commands and migrations need."""

import json
import subprocess
import sys

_PROGRAM = """
import json
import sys
from flask import Flask
from flask_pynamodb import PynamoDB
app = Flask("app")
app.config["DYNAMODB_REGION"] = "eu-central-1"
db = PynamoDB(app)
before = sorted(sys.modules)
names = app.cli.commands["dynamodb"].list_commands(None)
print(json.dumps([before, names]))
"""


class TestImports:
    def test_app(self):
        """An app starts without the code of commands, the engine and migrations."""
        answer = subprocess.run(
            [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True, timeout=60
        )
        imported, commands = json.loads(answer.stdout)

        assert "flask_pynamodb.extension" in imported
        assert not {
            "ctypes",
            "flask_pynamodb.cli",
            "flask_pynamodb.local",
            "flask_pynamodb.migrations.registry",
            "flask_pynamodb.migrations.run",
        }.intersection(imported)
        assert {"create", "migrate", "local"} <= set(commands)
