"""Several models on one table: in any order of first use, with all their indexes."""

import itertools

import pytest
from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from flask_pynamodb import ConfigurationError, PynamoDB, iam


def index_on(attribute, projection=AllProjection):
    """An index with its name and key from an attribute's name."""
    meta = type("Meta", (), {"index_name": f"by-{attribute}", "projection": projection()})
    key = {attribute: UnicodeAttribute(hash_key=True)}
    return type("Index", (GlobalSecondaryIndex,), {"Meta": meta, **key})()


def model_on_shop(db: PynamoDB, name, **members):
    """A model on the table `shop`."""
    meta = type("Meta", (), {"table_name": "shop", **members.pop("meta", {})})
    return type(db.Model)(
        name, (db.Model,), {"pk": UnicodeAttribute(hash_key=True), **members, "Meta": meta}
    )


@pytest.fixture
def shop(db):
    """Three models on one table, two of them with an index."""
    mail = {"mail": UnicodeAttribute(null=True), "by_mail": index_on("mail")}
    state = {"state": UnicodeAttribute(null=True), "by_state": index_on("state")}
    return [
        model_on_shop(db, "Order", **state),
        model_on_shop(db, "Customer", **mail),
        model_on_shop(db, "Note"),
    ]


class TestUse:
    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_any_order(self, db, shop, context, order):
        """Each index works, whichever model was used first."""
        db.create_all()
        for number in order:
            shop[number].exists()
        order_model, customer, _ = shop
        customer("ada", mail="a@example.com").save()
        order_model("1", state="open").save()

        assert [one.pk for one in customer.by_mail.query("a@example.com")] == ["ada"]
        assert [one.pk for one in order_model.by_state.query("open")] == ["1"]

    def test_declared_after_use(self, db, context):
        """A model that is declared after another was used adds its index."""
        first = model_on_shop(db, "Order")
        first.exists()
        mail = {"mail": UnicodeAttribute(null=True), "by_mail": index_on("mail")}
        second = model_on_shop(db, "Customer", **mail)
        db.create_all()

        assert list(second.by_mail.query("a@example.com")) == []

    def test_in_one_batch(self, db, shop, context):
        """`get_many` reads items of both models in one table."""
        db.create_all()
        shop[0]("1", state="open").save()
        shop[1]("2", mail="a@example.com").save()
        found = db.get_many((shop[0], "1"), (shop[1], "2"))

        assert [(type(item).__name__, item.pk) for item in found] == [
            ("Order", "1"),
            ("Customer", "2"),
        ]


class TestCommands:
    def test_create(self, db, shop, context):
        """The table is created once, with the indexes of all its models."""
        [line] = db.create_all()
        table = shop[0].describe_table()

        assert line.endswith("-shop")
        assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {
            "by-mail",
            "by-state",
        }
        assert db.create_all() == []
        assert db.check_all() == []

    def test_check(self, db, shop, context):
        """A missing index is reported once."""
        shop[0].create_table(wait=True)

        assert [str(drift).partition("lacks ")[2] for drift in db.check_all()] == [
            "the index by-mail"
        ]

    def test_ping_and_drop(self, db, shop, context):
        """The table is read, and dropped, once."""
        db.create_all()
        db.ping()

        assert len(db.drop_all()) == 1

    def test_policy(self, db, shop, context):
        """Each ARN is in the policy once."""
        document = iam.policy(db.models, region="eu-west-1", account="1")
        names = [arn.partition("-shop")[2] for arn in document["Statement"][0]["Resource"]]

        assert names == ["", "/index/by-mail", "/index/by-state"]

    def test_describe(self, db, shop, app, context):
        """`flask dynamodb describe` shows the table once."""
        db.create_all()
        result = app.test_cli_runner().invoke(args=["dynamodb", "describe"])

        assert result.output.count("shop: active") == 1

    def test_settings_add_up(self, db, context):
        """A setting of one model counts for the table, and tags add up."""
        model_on_shop(db, "Order", meta={"tags": {"team": "a"}})
        meta = {"read_capacity_units": 2, "write_capacity_units": 1, "tags": {"cost": "b"}}
        other = model_on_shop(db, "Customer", meta=meta, expires=TTLAttribute(null=True))
        db.create_all()
        table = other.describe_table()

        assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 2
        assert db.check_all() == []


class TestContradictions:
    def test_keys(self, db, context):
        """Two models with different keys cannot share a table."""
        model_on_shop(db, "Order").exists()
        other = model_on_shop(db, "Customer", sk=UnicodeAttribute(range_key=True))

        with pytest.raises(ConfigurationError, match="shop with different keys: pk and pk/sk"):
            other.exists()

    def test_types(self, db, context):
        """The key has one type."""
        model_on_shop(db, "Order").exists()
        other = model_on_shop(db, "Customer", pk=NumberAttribute(hash_key=True))

        with pytest.raises(ConfigurationError, match="key attribute pk of the table"):
            other.exists()

    def test_indexes(self, db, context):
        """An index of one name has one declaration."""
        mail = {"mail": UnicodeAttribute(null=True)}
        model_on_shop(db, "Order", **mail, by_mail=index_on("mail"))
        model_on_shop(db, "Customer", **mail, by_mail=index_on("mail", KeysOnlyProjection))

        with pytest.raises(ConfigurationError, match="index by-mail of the table"):
            db.create_all()

    @pytest.mark.parametrize(
        ("first", "second", "setting"),
        [
            ({"billing_mode": "PROVISIONED"}, {"billing_mode": "PAY_PER_REQUEST"}, "billing_mode"),
            ({"tags": {"team": "a"}}, {"tags": {"team": "b"}}, "tag team"),
            ({"point_in_time_recovery": True}, {"point_in_time_recovery": False}, "point_in_time"),
        ],
    )
    def test_settings(self, db, context, first, second, setting):
        """Two models cannot set one setting of their table differently."""
        model_on_shop(db, "Order", meta=first)
        model_on_shop(db, "Customer", meta=second)

        with pytest.raises(ConfigurationError, match=setting):
            db.check_all()

    def test_time_to_live(self, db, context):
        """A table has one time to live."""
        model_on_shop(db, "Order", expires=TTLAttribute(null=True))
        model_on_shop(db, "Customer", ends=TTLAttribute(null=True))

        with pytest.raises(ConfigurationError, match="different times to live"):
            db.create_all()
