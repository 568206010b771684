"""docs/costs.md: prices times the units that tests/api/test_costs.py measures."""

import json
import math
import runpy

from flask import Flask

from models import db
from tests.support.documents import DOCS
from tests.support.item_size import item_size
from tests.support.person import PASSWORD

WRITER = runpy.run_path(str(DOCS / "_scripts" / "write_costs.py"))
STATED = json.loads((DOCS / "_scripts" / "prices.json").read_text())["item_bytes"]
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/130.0.0.0 Safari/537.36"
)
ADA = {
    "username": "ada.lovelace",
    "email": "ada.lovelace@example.com",
    "full_name": "Ada Lovelace",
    "password": PASSWORD,
}


def rounded_sizes(app: Flask) -> dict[str, int]:
    """Return the size of the largest item of each stated table, rounded up to 50 bytes."""
    prefix = app.config["DYNAMODB_TABLE_PREFIX"]
    with app.app_context():
        items = {
            model.Meta.table_name.removeprefix(prefix): db.connection.dispatch(
                "Scan", {"TableName": model.Meta.table_name}
            )["Items"]
            for model in db.models
        }
    return {table: math.ceil(max(map(item_size, items[table])) / 50) * 50 for table in STATED}


class TestCosts:
    def test_committed_page_is_current(self):
        """The tables are computed; if not current: python docs/_scripts/write_costs.py."""
        assert WRITER["PATH"].read_text() == WRITER["render"]()

    def test_a_million_sign_ins(self):
        """12 million write units and 1 million read units: 12 times $0.625 and $0.125."""
        text = WRITER["PATH"].read_text()

        assert "| `POST /v1/sessions` | signed in | 1 | 12 | $7.63 |" in text

    def test_stored_bytes(self, app, client):
        """The stated bytes are those of a user after two sign-ins on one device."""
        client.environ_base["HTTP_USER_AGENT"] = BROWSER
        client.post("/v1/users", json=ADA)
        credentials = {"login": ADA["username"], "password": PASSWORD}
        device = client.post("/v1/sessions", json=credentials).json["device_token"]
        again = client.post("/v1/sessions", json={**credentials, "device_token": device})

        assert again.status_code == 201
        assert rounded_sizes(app) == STATED
