"""PynamoDB's models over both transports: the same values and the same errors."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.connection import TableConnection
from pynamodb.exceptions import (
    DeleteError,
    DoesNotExist,
    GetError,
    PutError,
    QueryError,
    TransactGetError,
    TransactWriteError,
    UpdateError,
)
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

from flask_pynamodb import signals
from flask_pynamodb.connection import AppConnection

ALL_BYTES = bytes(range(256))


class Box(MapAttribute):
    blob = BinaryAttribute(legacy_encoding=False, null=True)
    blobs = BinarySetAttribute(legacy_encoding=False, null=True)


class ThingBase(Model):
    class Meta:
        table_name = "unused"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute(null=True)
    number = NumberAttribute(null=True)
    numbers = NumberSetAttribute(null=True)
    flag = BooleanAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    at = UTCDateTimeAttribute(null=True)
    extra = JSONAttribute(null=True)
    blob = BinaryAttribute(legacy_encoding=False, null=True)
    blobs = BinarySetAttribute(legacy_encoding=False, null=True)
    box = Box(null=True)
    boxes = ListAttribute(of=Box, null=True)
    anything = MapAttribute(null=True)
    # Attributes may be called as types are.
    B = UnicodeAttribute(null=True)
    BS = BinaryAttribute(legacy_encoding=False, null=True)
    version = VersionAttribute(null=True)


@pytest.fixture
def thing(connection: AppConnection) -> type[Any]:
    """A model with a table of its own on the test's connection."""

    class Thing(ThingBase):
        class Meta:
            table_name = f"things-{uuid4().hex[:12]}"

    table: TableConnection = Thing._get_connection()
    connection.register_table(table.get_meta_table())
    table.connection = connection
    Thing.create_table(billing_mode="PAY_PER_REQUEST")
    return Thing


@pytest.fixture
def refusal() -> Callable[..., Any]:
    """Calls something that is rejected: `refusal(PutError, thing.save)`."""

    def call(kind: type[Exception], act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with pytest.raises(kind) as caught:
            act(*args, **kwargs)
        return caught.value

    return call


def raw(thing: Any, owner: str, id: str) -> Any:
    """The item as it came over the wire."""
    return thing._get_connection().get_item(owner, id, consistent_read=True)["Item"]


class TestValues:
    def test_all_types_come_back(self, thing: Any) -> None:
        """What was saved is what is read."""
        at = datetime(2026, 11, 20, 12, 30, 15, 123456, UTC)
        saved = thing(
            "ada", "1", text="größe \N{PILE OF POO}\0", number=-1.5, numbers={1, 2}, flag=False,
            tags={"a", "ü"}, at=at, extra={"a": [1, None]}, blob=ALL_BYTES, blobs={b"\0", b"\xff"},
        )  # fmt: skip
        saved.save()
        found = thing.get("ada", "1", consistent_read=True)

        assert found.attribute_values == saved.attribute_values

    def test_bytes_in_maps_and_lists(self, thing: Any) -> None:
        """At any depth, sets included, and under names that look like types."""
        box = Box(blob=ALL_BYTES, blobs={b"", b"\1\2"})
        thing("ada", "1", box=box, boxes=[box, Box(blob=b"x")], B="no bytes", BS=b"bytes").save()
        found = thing.get("ada", "1")

        assert found.box.blob == ALL_BYTES
        assert found.boxes[0].blobs == {b"", b"\1\2"}
        assert found.boxes[1].blob == b"x"
        assert (found.B, found.BS) == ("no bytes", b"bytes")
        assert raw(thing, "ada", "1")["boxes"]["L"][0]["M"]["blob"] == {"B": ALL_BYTES}

    @pytest.mark.parametrize(
        "digits",
        ["12345678901234567890123456789012345678", "-0.00000000000000000000000000000000000001"],
    )
    def test_numbers_keep_38_digits(self, digits: str, thing: Any, connection: Any) -> None:
        """They are strings on the wire, and nothing on the way takes them for floats."""
        item = {"owner": {"S": "ada"}, "id": {"S": "1"}, "number": {"N": digits}}
        name = thing.Meta.table_name
        connection.dispatch("PutItem", {"TableName": name, "Item": item})

        assert Decimal(raw(thing, "ada", "1")["number"]["N"]) == Decimal(digits)

    def test_empty_values_come_back(self, thing: Any) -> None:
        """An empty string, map, list and blob are not nothing."""
        thing("ada", "1", text="", anything={}, boxes=[], blob=b"").save()
        found = thing.get("ada", "1")

        assert (found.text, found.blob, found.boxes) == ("", b"", [])
        assert found.anything.attribute_values == {}

    def test_keys_may_be_any_text(self, thing: Any) -> None:
        """Of items and of maps."""
        thing("größe/\N{SNOWMAN}", '"\\', anything={"ключ #:": "wert"}).save()
        found = thing.get("größe/\N{SNOWMAN}", '"\\')

        assert found.anything["ключ #:"] == "wert"

    def test_a_large_item_comes_back(self, thing: Any) -> None:
        """300 KB, which is more than one read of a socket."""
        large = ALL_BYTES * 1200
        thing("ada", "1", blob=large).save()

        assert thing.get("ada", "1").blob == large

    def test_a_lone_surrogate_is_refused(self, thing: Any, refusal: Any) -> None:
        """Text that is no Unicode is an error of DynamoDB's or of the engine's, not a crash."""
        error = refusal(PutError, thing("ada", "1", text="\ud800").save)

        assert error.cause_response_code is not None


class TestWrites:
    def test_a_condition_that_fails(self, thing: Any, refusal: Any) -> None:
        """The code says so, and the item is as it was."""
        thing("ada", "1", text="first").save()
        second = thing("ada", "1", text="second")
        error = refusal(PutError, second.save, thing.owner.does_not_exist())

        assert error.cause_response_code == "ConditionalCheckFailedException"
        assert error.cause_response_message == "The conditional request failed"
        assert thing.get("ada", "1").text == "first"

    def test_a_refusal_names_request_and_table(self, thing: Any, refusal: Any) -> None:
        """PynamoDB's text has the id by which AWS finds the request."""
        thing("ada", "1").save()
        error = refusal(PutError, thing("ada", "1").save, thing.owner.does_not_exist())
        request_id = error.cause.__cause__.response["ResponseMetadata"]["RequestId"]

        assert f"on request ({request_id}) on table ({thing.Meta.table_name})" in str(error.cause)

    def test_update_returns_the_new_item(self, thing: Any) -> None:
        """Sums and sets are changed in place."""
        item = thing("ada", "1", number=1, tags={"a"})
        item.save()
        item.update([thing.number.add(41), thing.tags.add({"b"}), thing.blob.set(b"\0")])

        assert (item.number, item.tags, item.blob) == (42, {"a", "b"}, b"\0")

    def test_an_old_version_is_refused(self, thing: Any, refusal: Any) -> None:
        """A write with an outdated version is rejected."""
        thing("ada", "1").save()
        old, new = thing.get("ada", "1"), thing.get("ada", "1")
        new.update([thing.text.set("new")])

        assert (
            refusal(UpdateError, old.update, [thing.text.set("old")]).cause_response_code
            == "ConditionalCheckFailedException"
        )
        assert (
            refusal(DeleteError, old.delete).cause_response_code
            == "ConditionalCheckFailedException"
        )

    def test_delete(self, thing: Any, refusal: Any) -> None:
        """What is gone does not exist."""
        item = thing("ada", "1")
        item.save()
        item.delete()

        refusal(DoesNotExist, thing.get, "ada", "1")

    def test_an_item_that_is_too_large(self, thing: Any, refusal: Any) -> None:
        """More than 400 KB are refused, by name."""
        error = refusal(PutError, thing("ada", "1", blob=ALL_BYTES * 1700).save)

        assert error.cause_response_code == "ValidationException"
        assert "size" in error.cause_response_message


class TestReads:
    def test_query_reads_page_by_page(self, thing: Any) -> None:
        """All items of one key, in order, over as many requests as it takes."""
        with thing.batch_write() as batch:
            [batch.save(thing("ada", f"{n:02}")) for n in range(30)]
        found = thing.query("ada", thing.id > "04", page_size=7, scan_index_forward=False)

        assert [item.id for item in found] == [f"{n:02}" for n in range(29, 4, -1)]

    def test_query_goes_on_behind_a_key(self, thing: Any) -> None:
        """A page's last key is good for the next page."""
        with thing.batch_write() as batch:
            [batch.save(thing("ada", f"{n}")) for n in range(4)]
        page = thing.query("ada", limit=2)
        first = [item.id for item in page]
        rest = [item.id for item in thing.query("ada", last_evaluated_key=page.last_evaluated_key)]

        assert (first, rest) == (["0", "1"], ["2", "3"])

    def test_scan_filters(self, thing: Any) -> None:
        """Everything that fits, from all keys."""
        with thing.batch_write() as batch:
            [batch.save(thing(f"{n}", "1", number=n)) for n in range(10)]

        assert {item.number for item in thing.scan(thing.number >= 7)} == {7, 8, 9}

    def test_batch_get_finds_what_there_is(self, thing: Any) -> None:
        """More keys than fit into one request, half of them without an item."""
        with thing.batch_write() as batch:
            [batch.save(thing("ada", f"{n}", blob=bytes([n]))) for n in range(60)]
        found = thing.batch_get([("ada", f"{n}") for n in range(120)])

        assert {item.id: item.blob for item in found} == {f"{n}": bytes([n]) for n in range(60)}

    def test_batch_write_deletes(self, thing: Any) -> None:
        """Puts and deletes go together."""
        old = thing("ada", "old")
        old.save()
        with thing.batch_write() as batch:
            batch.delete(old)
            batch.save(thing("ada", "new"))

        assert [item.id for item in thing.query("ada")] == ["new"]

    def test_a_table_that_is_not_there(self, thing: Any, refusal: Any) -> None:
        """The code says so."""
        thing.delete_table()

        assert (
            refusal(GetError, thing.get, "ada", "1").cause_response_code
            == "ResourceNotFoundException"
        )
        assert (
            refusal(QueryError, list, thing.query("ada")).cause_response_code
            == "ResourceNotFoundException"
        )


class TestTransactions:
    def test_all_or_nothing(self, thing: Any, connection: Any, refusal: Any) -> None:
        """One reason for each write, in order, with the item that was in the way."""
        thing("ada", "1", blob=b"\0\1").save()

        def write() -> None:
            with TransactWrite(connection=connection) as transaction:
                transaction.save(thing("ada", "2"))
                transaction.save(
                    thing("ada", "1"), thing.owner.does_not_exist(), return_values="ALL_OLD"
                )

        error = refusal(TransactWriteError, write)
        first, second = error.cancellation_reasons

        assert error.cause_response_code == "TransactionCanceledException"
        assert first is None
        assert second.code == "ConditionalCheckFailed"
        assert second.raw_item["blob"] == {"B": b"\0\1"}
        refusal(DoesNotExist, thing.get, "ada", "2")

    def test_of_all_kinds(self, thing: Any, connection: Any) -> None:
        """A check, a delete, a save and an update in one."""
        [thing("ada", name).save() for name in ("checked", "deleted", "updated")]
        with TransactWrite(connection=connection) as transaction:
            transaction.condition_check(thing, "ada", "checked", thing.owner.exists())
            transaction.delete(thing("ada", "deleted"), add_version_condition=False)
            transaction.save(thing("ada", "saved"))
            transaction.update(
                thing("ada", "updated"), [thing.text.set("new")], add_version_condition=False
            )

        assert [(item.id, item.text) for item in thing.query("ada")] == [
            ("checked", None),
            ("saved", None),
            ("updated", "new"),
        ]

    def test_the_same_token_writes_once(self, thing: Any, connection: Any) -> None:
        """A repeated request is answered with the first outcome."""
        thing("ada", "1", number=0).save()
        token = str(uuid4())
        for _ in range(2):
            with TransactWrite(connection=connection, client_request_token=token) as transaction:
                transaction.update(
                    thing("ada", "1"), [thing.number.add(1)], add_version_condition=False
                )

        assert thing.get("ada", "1").number == 1

    def test_reads(self, thing: Any, connection: Any) -> None:
        """Several items as of one moment; absent ones do not exist."""
        thing("ada", "1", blob=b"\0").save()
        with TransactGet(connection=connection) as transaction:
            found = transaction.get(thing, "ada", "1")
            absent = transaction.get(thing, "ada", "2")

        assert found.get().blob == b"\0"
        with pytest.raises(DoesNotExist):
            absent.get()

    def test_reads_that_are_refused(self, thing: Any, connection: Any, refusal: Any) -> None:
        """The error is PynamoDB's own."""
        thing.delete_table()

        def read() -> None:
            with TransactGet(connection=connection) as transaction:
                transaction.get(thing, "ada", "1")

        assert refusal(TransactGetError, read).cause_response_code == "ResourceNotFoundException"


class TestSignals:
    def test_tell_tries_and_capacity(self, thing: Any, connection: Any) -> None:
        """Both transports tell the same of the same calls."""
        told: list[Any] = []

        def note(sender: Any, **facts: Any) -> None:
            told.append((facts["operation"], facts["tries"], facts["consumed_capacity"]))

        with signals.call_finished.connected_to(note, sender=connection):
            thing("ada", "1").save()
            thing.get("ada", "1", consistent_read=True)

        assert told == [("PutItem", 1, 1.0), ("GetItem", 1, 1.0)]
