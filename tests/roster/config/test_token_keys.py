"""ROSTER_TOKEN_KEYS_FILE: which files are accepted, and that no key is shown."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models import FixedSigningKeys, KeyPair, TokenAlgorithm
from roster.config import SettingError, read_token_keys
from roster.wiring import open_services


@pytest.fixture
def pair() -> KeyPair:
    return KeyPair.generate(TokenAlgorithm.ES256)


@pytest.fixture
def path(tmp_path: Path, pair: KeyPair) -> Path:
    """Return the path of a file with one key, which only its owner can read."""
    path = tmp_path / "token-keys.json"
    path.write_text(json.dumps({"keys": [json.loads(pair.secret())]}))
    path.chmod(0o600)
    return path


class TestAccepted:
    def test_keys(self, path, pair, caplog):
        """The keys of the file are returned, and nothing is logged."""
        assert [each.kid for each in read_token_keys(path)] == [pair.kid]
        assert caplog.text == ""

    def test_services(self, config, path, pair):
        """The services sign with the key of the file."""
        with open_services(config_with(config, path)) as services:
            signer = services.signing_keys.signer()

        assert isinstance(services.signing_keys, FixedSigningKeys)
        assert signer.kid == pair.kid

    def test_public(self, path, pair, caplog):
        """A file that every user can read is reported, and used."""
        path.chmod(0o644)

        assert len(read_token_keys(path)) == 1
        assert "chmod o-r" in caplog.text
        assert pair.secret().decode() not in caplog.text


class TestRejected:
    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_writable(self, path, mode):
        """A file that others may write to could sign tokens for them."""
        path.chmod(mode)

        with pytest.raises(SettingError, match="other users may write to"):
            read_token_keys(path)

    @pytest.mark.parametrize("name", ["absent.json", "", "x\0y", "x" * 5000])
    def test_unreadable(self, tmp_path, name):
        """A path that cannot be read is said so in one line."""
        with pytest.raises(SettingError, match="must be the path of a readable file") as error:
            read_token_keys(tmp_path / name)

        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("text", ["", "secret-text", "{}", '{"keys": [{"d": "secret-text"}]}'])
    def test_content(self, path, text):
        """A file without a private key set is rejected in one line that shows nothing of it."""
        path.write_text(text)

        with pytest.raises(SettingError, match="is no private JWKS") as error:
            read_token_keys(path)

        assert "secret-text" not in str(error.value)
        assert "\n" not in str(error.value)

    def test_large(self, path):
        """A file of more than 128 KB is not parsed."""
        path.write_text(" " * 200_000)

        with pytest.raises(SettingError, match="more than 128 KB"):
            read_token_keys(path)

    def test_start(self, config, path):
        """The service does not start with a file that it rejects."""
        path.write_text("{}")

        with pytest.raises(SettingError, match="ROSTER_TOKEN_KEYS_FILE"):
            open_services(config_with(config, path)).__enter__()


def config_with(config, path):
    """Return the settings with this file."""
    return replace(config, token_keys_file=path)
