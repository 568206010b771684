"""The mypy plug-in: `db.Model` is a base class. `typed/` has what both type checkers accept."""

import re

import pytest
from mypy import api

SETTINGS = """
[mypy]
strict = True
plugins = flask_pynamodb.mypy_plugin
untyped_calls_exclude = pynamodb
[mypy-botocore.*]
ignore_missing_imports = True
"""
FIRST = """
from typing import assert_type

from flask import Flask
from pynamodb.attributes import UnicodeAttribute

import flask_pynamodb
from flask_pynamodb import Model, PynamoDB


class Base(Model):
    def label(self) -> str:
        return ""


class Special(PynamoDB):
    def count(self) -> int:
        return len(self.models)


db = PynamoDB(Flask("app"))
based = Special(model_class=Base)
qualified = flask_pynamodb.PynamoDB(model_class=None)
plain = dict(app=db)


class Todo(db.Model):
    id = UnicodeAttribute(hash_key=True)


class Note(based.Model):
    id = UnicodeAttribute(hash_key=True)


class Album(qualified.Model):
    id = UnicodeAttribute(hash_key=True)


assert_type(Todo.get("1"), Todo)
assert_type(Note.get("1").label(), str)
assert_type(Album.get("1").id, str)
assert_type(based.count(), int)
"""
SECOND = """
import first
from first import db
from flask_pynamodb import PynamoDB


class Other(db.Model):
    pass


class Another(first.db.Model):
    pass


def register(extension: PynamoDB) -> None:
    extension.create_all()


register(db)
reveal_type(Other.get("1"))
reveal_type(Another.get("1"))
reveal_type(db.create_all())
db.no_such_method()
Other.no_such_method()
first.Todo.get("1").id + 1


class Wrong(db.NoModel):
    pass
"""


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Run mypy on the two programs, and return the lines that it prints."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "mypy.ini").write_text(SETTINGS)
    (folder / "first.py").write_text(FIRST)
    cache = folder / "cache"

    def run(second: str) -> list[str]:
        (folder / "second.py").write_text(second)
        options = ["--config-file", str(folder / "mypy.ini"), "--cache-dir", str(cache)]
        output, errors, _ = api.run([*options, str(folder / "first.py"), str(folder / "second.py")])
        assert errors == ""
        return [line.removeprefix(f"{folder}/") for line in output.splitlines()]

    return run


@pytest.fixture(scope="module")
def messages(check):
    return check(SECOND)


def kinds(messages: list[str]) -> list[str]:
    """The codes of the errors."""
    return re.findall(r"\[([a-z-]+)\]$", "\n".join(messages), re.MULTILINE)


def test_models(messages):
    """Models of any way to create an extension have their types, in the module of `db`."""
    assert [line for line in messages if line.startswith("first.py")] == []


def test_other_module(messages):
    """`db` has models and methods in a module that imports it, too."""
    revealed = [line.partition(" type is ")[2] for line in messages if "Revealed" in line]

    assert revealed == ['"second.Other"', '"second.Another"', '"list[str]"']


def test_mistakes(messages):
    """What `db`, a model or an item does not have is an error."""
    assert sorted(kinds(messages)) == [*["attr-defined"] * 2, "misc", "name-defined", "operator"]


def test_cached_module(check, messages):
    """The types are the same when the module of `db` comes from mypy's cache."""
    again = check(f"{SECOND}\n\nreveal_type(db.models)\n")

    assert again[: len(messages) - 1] == messages[:-1]
