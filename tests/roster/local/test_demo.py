"""What local mode prints, and its secret key."""

import os
import stat

import pytest

from roster.config import Config, EmailSettings, SettingError
from roster.config.secret_keys import weakness
from roster.local.demo import _secret_keys, banner
from tests.support.documents import DOCS
from tests.support.secret_key import SECRET_KEY


@pytest.fixture
def path(tmp_path):
    """The file of the key, which does not exist yet."""
    return tmp_path / "secret-key"


class TestBanner:
    def test_documented(self, tmp_path):
        """The documentation shows what local mode prints."""
        email = EmailSettings(folder=tmp_path)
        config = Config(secret_keys=(SECRET_KEY,), is_local=True, demo=True, email=email)
        printed = banner(config, "127.0.0.1", 8080)

        assert f"```text\n{printed}\n```" in (DOCS / "getting-started.md").read_text()


class TestSecretKey:
    def test_created_once(self, path):
        """The first start creates a key that only its owner can read; later ones read it."""
        [key] = _secret_keys(path)

        assert weakness(key) is None
        assert _secret_keys(path) == (key,)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_draft_of_another_user(self, path):
        """A draft that was there before, and may be open elsewhere, is not used (L5)."""
        draft = path.with_suffix(".draft")
        draft.write_text("")
        draft.chmod(0o666)
        with draft.open() as spy:
            [key] = _secret_keys(path)

            assert spy.read() == ""
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert key

    def test_link(self, path, tmp_path):
        """A draft that is a link leads nowhere."""
        target = tmp_path / "elsewhere"
        path.with_suffix(".draft").symlink_to(target)

        assert _secret_keys(path)
        assert not target.exists()

    def test_several(self, path):
        """M3: the key of local mode is replaced like another one: a file with one on each line."""
        path.write_text("the new key\nthe old key\n")
        path.chmod(0o600)

        assert _secret_keys(path) == ("the new key", "the old key")

    @pytest.mark.parametrize("text", ["", "\n", " , "])
    def test_empty(self, path, text):
        """An empty file is one clear line, and no empty key."""
        path.write_text(text)
        path.chmod(0o600)

        with pytest.raises(SettingError, match="is empty"):
            _secret_keys(path)

    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o666])
    def test_readable_by_others(self, path, bits):
        """A key that others can read is rejected."""
        path.write_text("a key that others know")
        path.chmod(bits)

        with pytest.raises(SettingError, match="inaccessible to other users") as caught:
            _secret_keys(path)

        assert "others know" not in str(caught.value)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_of_another_user(self, path):
        """A key of another user is rejected."""
        path.write_text("a key of another user")
        path.chmod(0o600)
        os.chown(path, 65534, 65534)

        with pytest.raises(SettingError):
            _secret_keys(path)
