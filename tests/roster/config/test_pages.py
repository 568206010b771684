"""The settings of the pages: the name of the product, and the application behind them."""

import pytest

from roster.config import Config, SettingError


@pytest.fixture
def read(monkeypatch):
    """Return a function that reads the settings of a local service with one variable set."""

    def config(name, value):
        monkeypatch.setenv(name, value)
        return Config.from_env(local=True)

    return config


class TestName:
    @pytest.mark.parametrize("name", ["Acme", "A & B <Co>", "\u00c9cole \u5b66\u6821", "x" * 50])
    def test_accepted(self, read, name):
        """A name is any text on one line."""
        assert read("ROSTER_NAME", name).name == name

    @pytest.mark.parametrize(
        "name", ["", " ", "x" * 51, "a\nb", "a\r\nBcc: x", "\u202eemca", "a:b"]
    )
    def test_rejected(self, read, name):
        """A name cannot end a header, hide text, or be two parts of an authenticator's label."""
        with pytest.raises(SettingError, match="ROSTER_NAME"):
            read("ROSTER_NAME", name)


class TestAppUrl:
    def test_accepted(self, read):
        """Several URLs are kept in order, without a slash at the end."""
        config = read("ROSTER_APP_URL", "https://app.example.com/,http://localhost:3000/start")

        assert config.app_urls == ("https://app.example.com", "http://localhost:3000/start")

    @pytest.mark.parametrize(
        "url",
        [
            "app.example.com",
            "//app.example.com",
            "javascript:alert(1)",
            "https://user@app.example.com",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://APP.example.com",
            "https://app.example.com\\x",
            "https://app.example.com/a b",
        ],
    )
    def test_rejected(self, read, url):
        """What browsers would write in another way, or take for another host, is rejected."""
        with pytest.raises(SettingError, match="ROSTER_APP_URL"):
            read("ROSTER_APP_URL", url)
