"""Several databases in one app, several apps in one process."""

import threading

import pytest
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import ConfigurationError, PynamoDB


@pytest.fixture
def home(db):
    class Home(db.Model):
        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)

    return Home


@pytest.fixture
def abroad(db):
    class Abroad(db.Model):
        __bind_key__ = "eu"
        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)

    return Abroad


class TestBinds:
    @pytest.fixture
    def app(self, db, make_app):
        binds = {"eu": {"REGION": "eu-central-1", "TABLE_PREFIX": "eu-", "TABLE_SUFFIX": "-v2"}}
        app = make_app(DYNAMODB_BINDS=binds)
        db.init_app(app)
        return app

    def test_each_model_in_its_database(self, db, home, abroad, context, settings):
        """A model with a bind key has that database's region and names, the others do not."""
        assert abroad._get_connection().connection.region == "eu-central-1"
        assert abroad.Meta.table_name == "eu-abroad-v2"
        assert home._get_connection().connection.region == settings["DYNAMODB_REGION"]
        assert home.Meta.table_name == settings["DYNAMODB_TABLE_PREFIX"] + "home"

    def test_used_side_by_side(self, db, home, abroad, context):
        """Tables, items, transactions and pings of both work in one app context."""
        db.create_all()
        home("1", text="home").save()
        with db.transaction("eu") as transaction:
            transaction.save(abroad("1", text="abroad"))

        assert (home.get("1").text, abroad.get("1").text) == ("home", "abroad")
        assert db.ping() is None
        db.drop_all()

    def test_models_of_one_database_share_a_connection(self, db, abroad, context):
        """A bind has one pool, however many models live in it."""

        class Second(db.Model):
            __bind_key__ = "eu"
            id = UnicodeAttribute(hash_key=True)

        assert Second._get_connection().connection is abroad._get_connection().connection

    def test_tables_of_one_database(self, db, home, abroad, context):
        """Tables are created, checked and dropped for one database, or for all."""
        created = db.create_all("eu")

        assert created == ["created eu-abroad-v2"]
        assert db.check_all("eu") == []
        assert len(db.check_all(None)) == 1
        assert len(db.create_all(None)) == 1
        assert db.check_all() == []
        assert db.drop_all("eu") == ["eu-abroad-v2"]
        assert len(db.drop_all()) == 1

    def test_command_for_one_database(self, db, home, abroad, app):
        """`--bind` restricts the commands to one database."""

        def run(*words):
            return app.test_cli_runner().invoke(args=["dynamodb", *words, "--bind", "eu"]).output

        assert run("create") == "created eu-abroad-v2\nAll tables exist.\n"
        assert run("check") == "All tables match the models.\n"
        assert run("drop", "--yes") == "dropped eu-abroad-v2\n"

    def test_drop_lists_one_database(self, db, home, abroad, app):
        """The question before dropping lists the tables of that database only."""
        runner = app.test_cli_runner()
        asked = runner.invoke(args=["dynamodb", "drop", "--bind", "eu"], input="n").output

        assert "eu-abroad-v2" in asked
        assert "home" not in asked

    def test_tables_of_an_unknown_database(self, db, home, context):
        """A key that the app does not define is an error that names it."""
        with pytest.raises(ConfigurationError, match=r"'mars'.*DYNAMODB_BINDS"):
            db.create_all("mars")

    def test_unknown_key(self, db, context):
        """A bind key that the app does not define is an error that names it."""

        class Lost(db.Model):
            __bind_key__ = "mars"
            id = UnicodeAttribute(hash_key=True)

        with pytest.raises(ConfigurationError, match=r"'mars'.*DYNAMODB_BINDS"):
            Lost.get("1")


class TestTwoHosts:
    @pytest.fixture
    def app(self, db, make_app, moto_host, dynamodb_engine):
        app = make_app(
            DYNAMODB_HOST=dynamodb_engine.host, DYNAMODB_BINDS={"eu": {"HOST": moto_host}}
        )
        db.init_app(app)
        return app

    def test_get_many(self, db, home, abroad, context):
        """Each item is read from the database of its model."""
        db.create_all()
        home("1", text="at home").save()
        abroad("1", text="abroad").save()

        found = db.get_many((home, "1"), (abroad, "1"), (home, "2"))

        assert [item and item.text for item in found] == ["at home", "abroad", None]


class TestWrongBinds:
    def test_unknown_setting(self, db, make_app):
        """A misspelt setting of a bind is refused at start."""
        with pytest.raises(ConfigurationError, match="unknown keys: REGOIN"):
            db.init_app(make_app(DYNAMODB_BINDS={"eu": {"REGOIN": "eu-central-1"}}))

    def test_wrong_billing(self, db, make_app):
        """So is a billing mode that does not exist."""
        with pytest.raises(ConfigurationError, match="PAY_PER_REQUEST or PROVISIONED"):
            db.init_app(make_app(DYNAMODB_BINDS={"eu": {"BILLING_MODE": "FREE"}}))

    def test_provisioned_without_units(self, db, make_app):
        """And provisioned billing without a capacity to provision."""
        with pytest.raises(ConfigurationError, match="READ_CAPACITY_UNITS"):
            db.init_app(make_app(DYNAMODB_BILLING_MODE="PROVISIONED"))


class TestTableNames:
    def test_suffix(self, db, home, make_app):
        """A suffix goes behind the name, for example for a version of the tables."""
        app = make_app(DYNAMODB_TABLE_PREFIX="a-", DYNAMODB_TABLE_SUFFIX="-z")
        db.init_app(app)

        with app.app_context():
            assert home.Meta.table_name == "a-home-z"

    def test_callable(self, db, home, make_app):
        """A callable makes the whole name."""
        app = make_app(DYNAMODB_TABLE_NAMER=lambda name: f"{name.upper()}.prod")
        db.init_app(app)

        with app.app_context():
            assert home.Meta.table_name == "HOME.prod"


class TestTwoAppsAtOnce:
    def test_threads(self, db, home, make_app):
        """Two apps in two threads at once: each stays with its own host settings and tables."""
        start, seen = threading.Barrier(2), {}

        def work(region, prefix):
            app = make_app(DYNAMODB_REGION=region, DYNAMODB_TABLE_PREFIX=prefix)
            db.init_app(app)
            with app.app_context():
                db.create_all()
                start.wait()
                for n in range(20):
                    home(str(n), text=region).save()
                texts = {item.text for item in home.batch_get([str(n) for n in range(20)])}
                seen[region] = (home._get_connection().connection.region, texts)
                db.drop_all()

        threads = [
            threading.Thread(target=work, args=(region, f"{region}-threads-"))
            for region in ("eu-west-1", "us-west-2")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert seen == {
            "eu-west-1": ("eu-west-1", {"eu-west-1"}),
            "us-west-2": ("us-west-2", {"us-west-2"}),
        }


class TestKnownDefectsOfFlaskPynamoDB:
    def test_timeouts_are_not_swapped(self, make_app):
        """The connect timeout is the connect timeout, the read timeout the read timeout."""
        app = make_app(DYNAMODB_CONNECT_TIMEOUT_SECONDS=1, DYNAMODB_READ_TIMEOUT_SECONDS=2)
        db = PynamoDB(app)

        with app.app_context():
            config = db.connection.client.meta.config

        assert (config.connect_timeout, config.read_timeout) == (1, 2)

    def test_role_credentials_stay(self, make_app, monkeypatch):
        """Without keys in the settings botocore's own chain decides."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from the environment")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        app = make_app(DYNAMODB_AWS_ACCESS_KEY_ID=None, DYNAMODB_AWS_SECRET_ACCESS_KEY=None)
        db = PynamoDB(app)

        with app.app_context():
            credentials = db.connection.client._request_signer._credentials

        assert credentials.access_key == "from the environment"

    def test_first_app_keeps_its_settings(self, db, home, make_app):
        """A second app changes nothing for the first one."""
        first, second = make_app(DYNAMODB_REGION="eu-west-1"), make_app(DYNAMODB_REGION="eu-west-2")
        db.init_app(first)
        with first.app_context():
            assert home._get_connection().connection.region == "eu-west-1"
        db.init_app(second)

        with first.app_context():
            assert home._get_connection().connection.region == "eu-west-1"
        with second.app_context():
            assert home._get_connection().connection.region == "eu-west-2"
