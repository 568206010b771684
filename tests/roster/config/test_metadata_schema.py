"""ROSTER_METADATA_SCHEMA: which files are accepted."""

import json
from dataclasses import replace

import pytest

from roster.config import SettingError, read_metadata_rules
from roster.wiring import open_services


@pytest.fixture
def path(tmp_path):
    """Return the path of a file with a schema."""
    path = tmp_path / "metadata.schema.json"
    schema = {"properties": {"metadata": {"properties": {"theme": {"enum": ["dark"]}}}}}
    path.write_text(json.dumps(schema))
    return path


class TestAccepted:
    def test_schema(self, path):
        """The rules are those of the file."""
        [fault] = read_metadata_rules(path).faults_of({"metadata": {"theme": "s3cret"}})

        assert (fault.field, list(fault.path)) == ("metadata", ["theme"])

    def test_none(self):
        """Without a file every object is accepted."""
        assert read_metadata_rules(None).faults_of({"metadata": {"theme": 5}}) == []

    def test_services(self, config, path):
        """The services use it."""
        with open_services(replace(config, metadata_schema=path)) as services:
            faults = services.accounts.metadata_rules.faults_of({"metadata": {"theme": 5}})

        assert len(faults) == 1


class TestRejected:
    @pytest.mark.parametrize("name", ["absent.json", "", "x\0y", "x" * 5000])
    def test_unreadable(self, tmp_path, name):
        """A path that cannot be read is said so in one line."""
        with pytest.raises(SettingError, match="must be the path of a readable file") as error:
            read_metadata_rules(tmp_path / name)

        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        "text", ["", "{}", "[]", '{"properties": {"metadata": {"$ref": "https://example.com/x"}}}']
    )
    def test_content(self, config, path, text):
        """The service does not start with a schema that it rejects, and says why in one line."""
        path.write_text(text)

        with pytest.raises(
            SettingError, match=r"ROSTER_METADATA_SCHEMA: .* is not accepted"
        ) as error:
            open_services(replace(config, metadata_schema=path)).__enter__()

        assert "\n" not in str(error.value)
