"""The size limit of metadata."""

import pytest

from models.errors import InvalidField
from models.services.metadata import validate_size


class TestValidateSize:
    def test_four_kilobytes(self):
        """4096 bytes of JSON are allowed."""
        assert validate_size({"a": "x" * 4088})

    def test_one_byte_more(self):
        """4097 bytes are not."""
        with pytest.raises(InvalidField, match="4097 bytes"):
            validate_size({"a": "x" * 4089})

    def test_bytes_count(self):
        """A character counts with all its bytes in UTF-8."""
        with pytest.raises(InvalidField):
            validate_size({"a": "é" * 2045})
