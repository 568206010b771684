"""Which classes have a table: bases, children, discriminators, a base class of one's own."""

import pytest
from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute

from flask_pynamodb import Model, PynamoDB


class TestTables:
    def test_base_without_meta(self, db, context):
        """Children of a common base have tables of their own, and do not overwrite each other."""

        class Base(db.Model):
            id = UnicodeAttribute(hash_key=True)

        class User(Base):
            name = UnicodeAttribute()

        class Invoice(Base):
            total = NumberAttribute()

        db.create_all()
        User("1", name="Ada").save()
        Invoice("1", total=5).save()

        assert User.get("1").name == "Ada"
        assert [model.Meta.base_table_name for model in db.models] == ["base", "user", "invoice"]

    def test_abstract(self, db, context, settings):
        """A class with `__abstract__` has no table; its children have."""

        class Base(db.Model):
            __abstract__ = True
            id = UnicodeAttribute(hash_key=True)

        class User(Base):
            pass

        assert db.models == [User]
        assert User.Meta.table_name == settings["DYNAMODB_TABLE_PREFIX"] + "user"

    def test_use_of_an_abstract_class(self, db, context):
        """The error says that the class is abstract."""

        class Base(db.Model):
            __abstract__ = True
            id = UnicodeAttribute(hash_key=True)

        with pytest.raises(TypeError, match="Base is abstract: it has no table"):
            Base.get("1")

    def test_abstract_is_not_inherited(self, db):
        """An abstract child of an abstract class has to say so."""

        class Base(db.Model):
            __abstract__ = True
            id = UnicodeAttribute(hash_key=True)

        class Timed(Base):
            __abstract__ = True

        class User(Timed):
            pass

        assert db.models == [User]

    def test_base_without_a_key(self, db, context):
        """A base without a hash key has no table, and `create_all` does not fail."""

        class Named(db.Model):
            name = UnicodeAttribute(null=True)

        class User(Named):
            id = UnicodeAttribute(hash_key=True)

        assert db.models == [User]
        assert [line.partition("-")[2] for line in db.create_all()] == ["user"]
        db.ping()

    def test_settings_of_a_base(self, db, context):
        """A child without a Meta has the settings of its base's, except for the table."""

        class Base(db.Model):
            __abstract__ = True

            class Meta:
                read_timeout_seconds = 1.5
                table_name = "things"

            id = UnicodeAttribute(hash_key=True)

        class User(Base):
            pass

        config = User._get_connection().connection.client.meta.config
        assert User.Meta.base_table_name == "user"
        assert config.read_timeout == 1.5

    def test_derived_meta(self, db):
        """A Meta that derives from another model's names the same table."""

        class User(db.Model):
            class Meta:
                table_name = "people"

            id = UnicodeAttribute(hash_key=True)

        class Admin(User):
            class Meta(User.Meta):
                pass

        assert Admin.Meta.base_table_name == "people"

    def test_discriminator(self, db, context):
        """As in PynamoDB the children of a model with a discriminator share its table."""

        class Animal(db.Model):
            id = UnicodeAttribute(hash_key=True)
            kind = DiscriminatorAttribute()

        class Cat(Animal, discriminator="Cat"):
            lives = NumberAttribute(default=9)

        db.create_all()
        Cat("tom").save()

        assert db.models == [Animal]
        assert Cat.Meta.table_name == Animal.Meta.table_name
        assert type(Animal.get("tom")) is Cat

    def test_mixin(self, db):
        """A key may come from a class that is no model."""

        class Keyed:
            id = UnicodeAttribute(hash_key=True)

        class User(Keyed, db.Model):
            pass

        assert db.models == [User]

    def test_meta_of_an_abstract_class(self, db):
        """The Meta of an abstract class has settings, but no table."""

        class Base(db.Model):
            __abstract__ = True

            class Meta:
                region = "ap-south-1"

        assert not hasattr(Base.Meta, "table_name")
        with pytest.raises(AttributeError, match="Base is abstract"):
            Base.Meta.table_name  # noqa: B018


class TestMeta:
    def test_none_is_unset(self, db, context, settings):
        """As in PynamoDB None in a Meta means that the setting is not chosen."""

        class User(db.Model):
            class Meta:
                table_name = None
                host = None
                region = None
                aws_access_key_id = None
                aws_secret_access_key = None

            id = UnicodeAttribute(hash_key=True)

        assert User.Meta.base_table_name == "user"
        assert User._get_connection().connection is db.connection

    def test_changed_before_use(self, db, context, settings):
        """A Meta that is changed before the first use counts."""

        class User(db.Model):
            id = UnicodeAttribute(hash_key=True)

        User.Meta.table_name = "people"
        User.Meta.host = settings["DYNAMODB_HOST"].replace("127.0.0.1", "localhost")
        User.Meta.region = "ap-south-1"

        connection = User._get_connection().connection
        assert User.Meta.table_name == settings["DYNAMODB_TABLE_PREFIX"] + "people"
        assert (connection.host, connection.region) == (User.Meta.host, "ap-south-1")

    def test_same_settings(self, db, context):
        """Models with the same connection settings share a connection."""

        class Here(db.Model):
            class Meta:
                region = "ap-south-1"

            id = UnicodeAttribute(hash_key=True)

        class There(db.Model):
            class Meta:
                region = "ap-south-1"

            id = UnicodeAttribute(hash_key=True)

        class Elsewhere(db.Model):
            class Meta:
                region = "eu-north-1"

            id = UnicodeAttribute(hash_key=True)

        connections = [model._get_connection().connection for model in (Here, Elsewhere, There)]
        assert connections[0] is connections[2]
        assert [each.region for each in connections] == ["ap-south-1", "eu-north-1", "ap-south-1"]
        assert Elsewhere.Meta.base_table_name == "elsewhere"


class TestModelClass:
    def test_own_base(self, make_app):
        """Models derive from a class of one's own, or from `db.Model`, which is that class."""

        class Base(Model):
            def greet(self):
                return f"Hello {self.id}"

        db = PynamoDB(model_class=Base)

        class User(Base):
            id = UnicodeAttribute(hash_key=True)

        class Guest(db.Model):
            id = UnicodeAttribute(hash_key=True)

        app = make_app()
        db.init_app(app)
        with app.app_context():
            db.create_all()
            User("ada").save()
            greeting = User.get("ada").greet()

        assert greeting == "Hello ada"
        assert db.models == [User, Guest]

    def test_base_with_common_attributes(self):
        """The class may have attributes, also a key; it has no table itself."""

        class Base(Model):
            id = UnicodeAttribute(hash_key=True)

        db = PynamoDB(model_class=Base)

        class User(Base):
            pass

        assert [model.Meta.base_table_name for model in db.models] == ["user"]

    @pytest.mark.parametrize("wrong", [Model, object, "Model", 1])
    def test_wrong_class(self, wrong):
        """Anything but a class derived from Model is rejected."""
        with pytest.raises(TypeError, match="model_class"):
            PynamoDB(model_class=wrong)

    def test_two_extensions(self):
        """A class is the base class of one extension."""

        class Base(Model):
            pass

        PynamoDB(model_class=Base)

        with pytest.raises(RuntimeError, match="another extension"):
            PynamoDB(model_class=Base)

    def test_models_before_the_extension(self):
        """Models that were declared before would not be found."""

        class Base(Model):
            pass

        class User(Base):
            id = UnicodeAttribute(hash_key=True)

        with pytest.raises(RuntimeError, match="before its models"):
            PynamoDB(model_class=Base)
        assert issubclass(User, Base)
