"""GET /health/live and /health/ready."""

from dataclasses import replace

from models import CHEAPEST_PROFILE, db
from roster.app import create_app


class TestReady:
    def test_all_tables_answer(self, client):
        """Ready means that DynamoDB and every table answer."""
        response = client.get("/health/ready")

        assert response.status_code == 200
        assert response.json == {"status": "ok"}

    def test_a_table_is_missing(self, app, client):
        """One missing table is enough to be taken out of the load balancer."""
        with app.app_context():
            db.models[-1].delete_table()

        response = client.get("/health/ready")

        assert response.status_code == 503
        assert response.json["type"] == "/problems/store-unavailable"
        assert int(response.headers["Retry-After"]) > 0

    def test_dynamodb_does_not_answer(self, config):
        """A dead endpoint is a 503 that says nothing of the inside."""
        nowhere = {**config.dynamodb, "DYNAMODB_HOST": "http://127.0.0.1:9"}
        app = create_app(replace(config, dynamodb=nowhere), profile=CHEAPEST_PROFILE)

        response = app.test_client().get("/health/ready")

        assert response.status_code == 503
        assert "127.0.0.1" not in response.text


class TestLive:
    def test_dynamodb_does_not_answer(self, config):
        """The process is alive without its store: restarting it would not help."""
        nowhere = {**config.dynamodb, "DYNAMODB_HOST": "http://127.0.0.1:9"}
        app = create_app(replace(config, dynamodb=nowhere), profile=CHEAPEST_PROFILE)

        assert app.test_client().get("/health/live").status_code == 200
