"""ROSTER_SECRET_KEY: one key or several, of what quality."""

import base64
import os
import secrets
import string

import pytest

from roster.config import Config, SettingError
from roster.config.secret_keys import weakness
from tests.support.secret_key import SECRET_KEY

OLD = "an older key that is too weak"
GENERATORS = {
    "token_urlsafe": lambda: secrets.token_urlsafe(32),
    "token_hex": lambda: secrets.token_hex(32),
    "token_hex, 16 bytes": lambda: secrets.token_hex(16),
    "openssl rand -base64 32": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "letters": lambda: "".join(secrets.choice(string.ascii_lowercase) for _ in range(32)),
    "password manager": lambda: "".join(secrets.choice(string.printable[:94]) for _ in range(32)),
}
WEAK = {
    "": "(0 of 32 bytes)",
    "x": "(1 of 32 bytes)",
    "changeme": "(8 of 32 bytes)",
    SECRET_KEY[:31]: "(31 of 32 bytes)",
    "x" * 32: "repeats",
    "0" * 64: "repeats",
    "abcd" * 8: "repeats",
    "0123456789abcdef" * 2: "repeats",
    "correcthorsebatterystaple" * 2: "repeats",
    "q7Zx-Lm0_W" * 3 + "q7Z": "repeats",
    "abcdefghijklmnopqrstuvwxyz0123456789": "is a sequence",
    "zyxwvutsrqponmlkjihgfedcba9876543210": "is a sequence",
    "AABBCCDDEEFFGGHHIIJJKKLLMMNNOOPP": "is a sequence",
    "only for this machine, and for no other one": "contains whitespace",
    f"{SECRET_KEY[:20]}\t{SECRET_KEY[20:]}": "contains whitespace",
    "CHANGE-ME-TO-A-SAFE-VALUE-0123456789": "is a placeholder",
    "please_change_me_before_you_deploy_1": "is a placeholder",
    "this-is-my-super-secret-key-2026-abc": "is a placeholder",
    "insert_your_key_here_4f8a9b2c7d1e6035": "is a placeholder",
    "django-insecure-4f8a9b2c7d1e60354f8a": "is a placeholder",
    "the-key-of-the-example-in-the-docs-17": "is a placeholder",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Remove every setting."""
    for name in [name for name in os.environ if name.startswith(("ROSTER_", "DYNAMODB_"))]:
        monkeypatch.delenv(name)


def read(monkeypatch, text: str) -> tuple[str, ...]:
    """Return the keys that the service reads from a text."""
    monkeypatch.setenv("ROSTER_SECRET_KEY", text)
    return Config.from_env().secret_keys


class TestQuality:
    @pytest.mark.parametrize("generator", GENERATORS)
    def test_random(self, generator):
        """No random key is taken for a weak one, whatever has generated it."""
        keys = [GENERATORS[generator]() for _ in range(2000)]

        assert [key for key in keys if weakness(key)] == []

    @pytest.mark.parametrize("key", WEAK)
    def test_weak(self, key):
        """L1: a short, typed or copied key is found, and the reason is said."""
        assert WEAK[key] in weakness(key)

    @pytest.mark.parametrize("key", [key for key in WEAK if "," not in key])
    def test_no_start(self, monkeypatch, key):
        """L1: the service does not start with a weak key, and the line does not repeat it."""
        with pytest.raises(SettingError, match="ROSTER_SECRET_KEY") as error:
            read(monkeypatch, key)

        assert "secrets.token_urlsafe(32)" in str(error.value)
        assert "\n" not in str(error.value)
        assert len(key) < 2 or key not in str(error.value)

    @pytest.mark.parametrize("key", ["x", "changeme", "only for this machine"])
    def test_local(self, monkeypatch, key):
        """Local mode accepts any key."""
        monkeypatch.setenv("ROSTER_SECRET_KEY", key)

        assert Config.from_env(local=True).secret_keys == (key,)


class TestSeveral:
    @pytest.mark.parametrize(
        "text",
        [
            f"{SECRET_KEY},{OLD}",
            f" {SECRET_KEY} , {OLD} ",
            f"{SECRET_KEY}\n{OLD}\n",
            f"{SECRET_KEY}\r\n\r\n{OLD}\r\n",
            f"{SECRET_KEY},\n{OLD},\n",
            f"{SECRET_KEY},{OLD},{SECRET_KEY}",
        ],
    )
    def test_form(self, monkeypatch, tmp_path, text):
        """M3: keys are separated by commas or line breaks, in a variable and in a file."""
        from_variable = read(monkeypatch, text)
        file = tmp_path / "keys"
        file.write_text(text, newline="")
        monkeypatch.delenv("ROSTER_SECRET_KEY")
        monkeypatch.setenv("ROSTER_SECRET_KEY_FILE", str(file))

        assert from_variable == Config.from_env().secret_keys == (SECRET_KEY, OLD)

    def test_weak_key_in_front(self, monkeypatch):
        """L1: only the key that signs and seals has to be good: the weak one can be replaced."""
        with pytest.raises(SettingError, match="first of 2 keys in ROSTER_SECRET_KEY is too short"):
            read(monkeypatch, f"{OLD},{SECRET_KEY}")

    def test_two_keys_without_comma(self, monkeypatch):
        """Two keys with a blank between them are not taken for one."""
        with pytest.raises(SettingError, match="keys are separated by commas"):
            read(monkeypatch, f"{SECRET_KEY} {SECRET_KEY[::-1]}")

    @pytest.mark.parametrize("text", ["", " ", ",", "\n,\n"])
    def test_none(self, monkeypatch, text):
        """A text without a key is like none."""
        with pytest.raises(SettingError, match="ROSTER_SECRET_KEY is not set"):
            read(monkeypatch, text)

    def test_not_text(self, monkeypatch):
        """Bytes that are no text are one clear line."""
        monkeypatch.setenv("ROSTER_SECRET_KEY", "\udcff" * 40)

        with pytest.raises(SettingError, match="ROSTER_SECRET_KEY is not UTF-8 text") as error:
            Config.from_env()
        assert "\udcff" not in str(error.value)


class TestCursors:
    def test_weak_key_verifies_nothing(self):
        """L1: a cursor that is signed with a guessed key stays invalid while the key is listed."""
        config = Config(secret_keys=(SECRET_KEY, OLD, SECRET_KEY[::-1])).for_flask()

        assert len(config["SECRET_KEY_FALLBACKS"]) == 1
