"""GET /health/live and /health/ready."""

from dataclasses import replace

from models import CHEAPEST_PROFILE, db
from roster.app import create_app


class TestReady:
    def test_all_tables_exist(self, client):
        """Ready means that DynamoDB and every table respond."""
        response = client.get("/health/ready")

        assert response.status_code == 200
        assert response.json == {"status": "ok"}

    def test_missing_table(self, app, client):
        """One missing table makes the service unready."""
        with app.app_context():
            db.models[-1].delete_table()

        response = client.get("/health/ready")

        assert response.status_code == 503
        assert response.json["type"] == "/problems/store-unavailable"
        assert int(response.headers["Retry-After"]) > 0

    def test_dynamodb_does_not_answer(self, config):
        """An unreachable endpoint is a 503 without internal details."""
        unreachable = {**config.dynamodb, "DYNAMODB_HOST": "http://127.0.0.1:9"}
        app = create_app(replace(config, dynamodb=unreachable), profile=CHEAPEST_PROFILE)

        response = app.test_client().get("/health/ready")

        assert response.status_code == 503
        assert "127.0.0.1" not in response.text


class TestLive:
    def test_dynamodb_does_not_answer(self, config):
        """The process is alive without its database, since a restart would not help."""
        unreachable = {**config.dynamodb, "DYNAMODB_HOST": "http://127.0.0.1:9"}
        app = create_app(replace(config, dynamodb=unreachable), profile=CHEAPEST_PROFILE)

        assert app.test_client().get("/health/live").status_code == 200
