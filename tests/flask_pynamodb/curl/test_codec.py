"""JSON as DynamoDB speaks it."""

import enum
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_pynamodb.curl import codec

# Attribute values at any depth, with attributes that are called as the types are.
NAMES = st.sampled_from(["B", "BS", "M", "L", "S", "id", "größe", "\N{PILE OF POO}"])
SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text()),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda blob: {"B": blob}, st.binary()),
    st.builds(lambda blobs: {"BS": blobs}, st.lists(st.binary(), min_size=1)),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.just({"NULL": True}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.builds(lambda items: {"L": items}, st.lists(inner))
        | st.builds(lambda items: {"M": items}, st.dictionaries(NAMES, inner))
    ),
    # Enough to nest; most of the time went into building larger values.
    max_leaves=10,
)


class Name(enum.StrEnum):
    ID = "id"


def innermost(value: dict[str, Any]) -> dict[str, Any]:
    """What is in a list in a list in a list ..."""
    while "L" in value:
        (value,) = value["L"]
    return value


class TestEncode:
    def test_bytes_are_base64(self) -> None:
        """At any depth, in sets too, and for every type of Python's that holds bytes."""
        blobs = {"BS": [b"\x00", bytearray(b"\x01"), memoryview(b"\x02")]}
        body = codec.encode({"Item": {"a": {"M": {"b": {"L": [{"B": b"\xff\xfe"}, blobs]}}}}})

        assert json.loads(body) == {
            "Item": {"a": {"M": {"b": {"L": [{"B": "//4="}, {"BS": ["AA==", "AQ==", "Ag=="]}]}}}}
        }

    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            ({Name.ID: {"S": "1"}}, {"id": {"S": "1"}}),
            ({"id": {"S": "\ud800"}}, {"id": {"S": "\ud800"}}),
            ({Name.ID: {"B": b"\x00"}}, {"id": {"B": "AA=="}}),
        ],
        ids=["a key that is nearly a string", "a lone surrogate", "with bytes in it"],
    )
    def test_what_orjson_refuses_is_sent_as_botocore_would(self, value: Any, sent: Any) -> None:
        """DynamoDB is to say what it thinks of it."""
        assert json.loads(codec.encode(value)) == sent

    def test_a_type_without_a_meaning_is_refused(self) -> None:
        """A set is no value of DynamoDB's, and says so before anything is sent."""
        with pytest.raises(TypeError, match="set cannot be sent to DynamoDB"):
            codec.encode({"Item": {"a": {"SS": {"x"}}}})


class TestDecode:
    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.dictionaries(NAMES, VALUES))
    def test_what_was_sent_comes_back(self, item: dict[str, Any]) -> None:
        """Binary values are bytes; attributes named like types stay attributes."""
        assert codec.decode(codec.encode({"Item": item})) == {"Item": item}

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"<html>", b'{"Item":{"a":{"B":"A"}}}', b'{"a":"\xff"}']
    )
    def test_what_is_no_json_is_a_value_error(self, body: bytes) -> None:
        """Broken base64 and broken UTF-8 included."""
        with pytest.raises(ValueError, match=r"."):
            codec.decode(body)

    def test_depth_does_not_overflow_the_stack(self) -> None:
        """A server may nest its answer deeper than Python recurses."""
        body = b'{"L":[' * 500 + b'{"B":"AA=="}' + b"]}" * 500

        assert innermost(codec.decode(body)) == {"B": b"\x00"}
