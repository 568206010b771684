"""JSON merge patch (RFC 7396)."""

import pytest

from api.merge_patch import merge_patch


class TestMergePatch:
    @pytest.mark.parametrize(
        ("target", "patch", "result"),
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
            ({"a": "foo"}, None, None),
        ],
    )
    def test_appendix_a(self, target, patch, result):
        """The test cases of RFC 7396, appendix A, that can occur here."""
        assert merge_patch(target, patch) == result

    def test_target_is_not_changed(self):
        """A patch returns a new object, at every depth."""
        target = {"a": {"b": 1}}

        merge_patch(target, {"a": {"b": 2}})

        assert target == {"a": {"b": 1}}
