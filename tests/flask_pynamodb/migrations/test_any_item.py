"""Items of any content: the condition of a migration holds for what is stored, however written."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.one_of(
    st.integers(-(10**37), 10**37).map(str),
    st.decimals(-1000, 1000, places=9).map(str),
    st.sampled_from(["0", "-0", "0.0", "1.10", "1E+5", "1e-100", "9" * 38, "007"]),
)
VALUE = st.recursive(
    st.one_of(
        st.builds(dict, S=TEXT),
        st.builds(dict, N=NUMBER),
        st.builds(dict, BOOL=st.booleans()),
        st.builds(dict, NULL=st.just(True)),
    ),
    lambda inner: st.one_of(
        st.builds(dict, L=st.lists(inner, max_size=3)),
        st.builds(dict, M=st.dictionaries(TEXT.filter(bool), inner, max_size=3)),
    ),
    max_leaves=6,
)
NULL = st.builds(dict, NULL=st.just(True))


def sets(elements: Any, key: Any = lambda value: value) -> Any:
    return st.lists(elements, min_size=1, max_size=4, unique_by=key)


STORED = st.fixed_dictionaries(
    {},
    optional={
        "text": st.one_of(NULL, st.builds(dict, S=TEXT)),
        "number": st.one_of(NULL, st.builds(dict, N=NUMBER)),
        "flag": st.one_of(NULL, st.builds(dict, BOOL=st.booleans())),
        "data": st.builds(dict, B=st.binary(max_size=8)),
        "texts": st.builds(dict, SS=sets(TEXT.filter(bool))),
        "numbers": st.builds(dict, NS=sets(NUMBER, float)),
        "blobs": st.builds(dict, BS=sets(st.binary(min_size=1, max_size=4))),
        "values": st.builds(dict, L=st.lists(VALUE, max_size=3)),
        "free": st.builds(dict, M=st.dictionaries(TEXT.filter(bool), VALUE, max_size=3)),
        "document": st.builds(dict, S=st.sampled_from(["null", "{}", '{"a":[1,2.5,"x"]}'])),
        "unknown": VALUE,
    },
)


@pytest.fixture
def host(dynamodb_engine):
    """The local engine, which writes numbers as DynamoDB does."""
    return dynamodb_engine.host


@pytest.fixture
def thing(db, context):
    class Thing(db.Model):
        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(default="default")
        number = NumberAttribute(default=7)
        flag = BooleanAttribute(default=True)
        data = BinaryAttribute(null=True, legacy_encoding=False)
        texts = UnicodeSetAttribute(null=True)
        numbers = NumberSetAttribute(null=True)
        blobs = BinarySetAttribute(null=True, legacy_encoding=False)
        values = ListAttribute(default=list)
        free = MapAttribute(default=dict)
        document = JSONAttribute(null=True)
        marker = UnicodeAttribute(null=True)

    @db.migration("1-look", Thing)
    def look(item):
        pass

    @db.migration("2-mark", Thing)
    def mark(item):
        item.marker = "migrated"

    db.create_all()
    return Thing


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(contents=st.lists(STORED, min_size=5, max_size=20))
def test_any_item(db, thing, contents):
    """A function that does nothing writes nothing, and a change writes that attribute alone."""
    client, table = db.connection.client, thing.Meta.table_name
    for number in range(20):
        client.delete_item(TableName=table, Key={"id": {"S": f"{number}"}})
    for number, stored in enumerate(contents):
        client.put_item(TableName=table, Item={"id": {"S": f"{number}"}, **stored})
    before = client.scan(TableName=table)["Items"]

    (looked,) = db.migrate("1-look", repeat=True)
    (marked,) = db.migrate("2-mark", repeat=True)

    after = client.scan(TableName=table)["Items"]
    assert (looked.read, looked.changed) == (len(contents), 0)
    assert (marked.read, marked.changed) == (len(contents), len(contents))
    assert after == [{**item, "marker": {"S": "migrated"}} for item in before]
