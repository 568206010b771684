"""Answers of DynamoDB for PynamoDB's tests of models: those of users and cars.

The tests of other models read answers that are not here; `LACKS` in test_upstream.py names them.
"""

from typing import Any


def _car(make: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    return {"Item": {"car_id": {"N": "123"}, "car_info": {"M": {"make": make, "model": model}}}}


_USERS = [
    {"user_name": {"S": "foo"}, "user_id": {"S": f"id-{number}"}, "email": {"S": "a@example.com"}}
    for number in range(20)
]

GET_MODEL_ITEM_DATA = {"Item": {"user_name": {"S": "foo"}, "user_id": {"S": "bar"}}}
MODEL_TABLE_DATA = {"Table": {"TableName": "UserModel", "TableStatus": "ACTIVE", "ItemCount": 42}}
BATCH_GET_ITEMS = {"Responses": {"UserModel": _USERS}, "UnprocessedKeys": {}}
SIMPLE_BATCH_GET_ITEMS = {
    "Responses": {"SimpleModel": [{"user_name": {"S": f"hash-{number}"}} for number in range(10)]},
    "UnprocessedKeys": {},
}
CUSTOM_ATTR_NAME_ITEM_DATA = {
    "Item": {"user_name": {"S": "foo"}, "user_id": {"S": "bar"}, "foo_attr": {"S": "text"}}
}
BOOLEAN_MODEL_FALSE_ITEM_DATA = {"Item": {"user_name": {"S": "alf"}, "is_human": {"BOOL": False}}}
BOOLEAN_MODEL_TRUE_ITEM_DATA = {"Item": {"user_name": {"S": "justin"}, "is_human": {"BOOL": True}}}
FULL_CAR_MODEL_ITEM_DATA = _car({"S": "Volkswagen"}, {"S": "Beetle"})
CAR_MODEL_WITH_NULL_ITEM_DATA = _car({"S": "Dodge"}, {"NULL": True})
INVALID_CAR_MODEL_WITH_NULL_ITEM_DATA = _car({"NULL": True}, {"NULL": True})


def __getattr__(name: str) -> dict[str, Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    return {}
