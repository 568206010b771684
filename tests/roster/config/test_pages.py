"""The settings of the pages: the product, and the application behind them."""

from pathlib import Path

import pytest

from roster.config import Config, SettingError
from roster.config.contrast import contrast
from web.branding import MAX_LOGO_BYTES

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
PNG = b"\x89PNG\r\n\x1a\n"


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


class TestColor:
    @pytest.mark.parametrize("color", ["#0b57d0", "#000000", "#6a1b9a", "#b3261e"])
    def test_dark_pages(self, read, color):
        """One color is used on light pages; on dark ones a lighter one of the hue is readable."""
        light, dark = read("ROSTER_COLOR", color).colors

        assert light == color
        assert contrast(dark, "#181c25") >= 4.5

    def test_two(self, read):
        """The color on dark pages can be chosen, in any letter case."""
        assert read("ROSTER_COLOR", "#0B57D0,#9CC2FF").colors == ("#0b57d0", "#9cc2ff")

    @pytest.mark.parametrize(
        "color, ratio, better",
        [
            ("#ffcc00", "1.38:1 on light pages", "#876c00"),
            ("#777777", "4.10:1 on light pages", "#707070"),
            ("#0b57d0,#0b57d0", "2.66:1 on dark pages", "#4a83dc"),
        ],
    )
    def test_contrast(self, read, color, ratio, better):
        """WCAG 2.2, 1.4.3: what text could not be read in is rejected, with a color that works."""
        with pytest.raises(SettingError, match="ROSTER_COLOR") as rejected:
            read("ROSTER_COLOR", color)

        assert ratio in str(rejected.value)
        assert better in str(rejected.value)

    @pytest.mark.parametrize("better", ["#876c00", "#707070", "#0b57d0,#4a83dc"])
    def test_advice_is_accepted(self, read, better):
        """The color that a rejection names is accepted."""
        assert len(read("ROSTER_COLOR", better).colors) == 2

    @pytest.mark.parametrize(
        "color", ["", "blue", "#fff", "#0b57d0;}", "0b57d0", "#0b57d0,", "#0b57d0,#9cc2ff,#000000"]
    )
    def test_rejected(self, read, color):
        """Only six hexadecimal digits are a color: nothing else gets into a style."""
        with pytest.raises(SettingError, match="ROSTER_COLOR"):
            read("ROSTER_COLOR", color)


class TestLogo:
    def test_url(self, read):
        """A URL is kept as it is."""
        url = "https://cdn.example.com/a/logo-1.svg"

        assert read("ROSTER_LOGO", url).logo == url

    @pytest.mark.parametrize("content", [SVG, PNG, b"\xff\xd8\xff\xe0", b"RIFF0000WEBPVP8 "])
    def test_file(self, read, tmp_path, content):
        """A file is one of four kinds of images."""
        path = tmp_path / "logo"
        path.write_bytes(content)

        assert read("ROSTER_LOGO", str(path)).logo == Path(path)

    @pytest.mark.parametrize(
        "url",
        [
            "http://www.example.com/logo.svg",
            "https://www.example.com/logo.svg;script-src *",
            "https://www.example.com/logo.svg 'unsafe-inline'",
            "https://www.example.com/a,b",
            "https://www.example.com/logo.svg?x=1",
            "https://user@www.example.com/logo.svg",
            "data:image/svg+xml,<svg/>",
        ],
    )
    def test_rejected_url(self, read, url):
        """A URL must not change the content security policy."""
        with pytest.raises(SettingError, match="ROSTER_LOGO"):
            read("ROSTER_LOGO", url)

    @pytest.mark.parametrize(
        "content, reason",
        [(b"", "no SVG"), (b"<html>", "no SVG"), (PNG + b"0" * MAX_LOGO_BYTES, "100 KB")],
    )
    def test_rejected_file(self, read, tmp_path, content, reason):
        """A file that is no image, or too large, is rejected."""
        path = tmp_path / "logo"
        path.write_bytes(content)

        with pytest.raises(SettingError, match=reason):
            read("ROSTER_LOGO", str(path))

    @pytest.mark.parametrize("path", ["", "/no/such/file", "/", "a\0b"])
    def test_no_file(self, read, monkeypatch, path):
        """A path without a file is rejected, with the reason."""
        monkeypatch.setattr("os.environ", {"ROSTER_LOGO": path})

        with pytest.raises(SettingError, match="ROSTER_LOGO"):
            Config.from_env(local=True)


class TestSupportUrl:
    @pytest.mark.parametrize(
        "url", ["https://help.example.com/?a=b", "mailto:help@example.com", "tel:+4930123456"]
    )
    def test_accepted(self, read, url):
        """Help is a page, an address or a telephone number."""
        assert read("ROSTER_SUPPORT_URL", url).support_url == url

    @pytest.mark.parametrize(
        "url", ["", "help", "http://a.example", "javascript:alert(1)", 'https://a.example/"><b>']
    )
    def test_rejected(self, read, url):
        """Whatever runs scripts, or is no link, is rejected."""
        with pytest.raises(SettingError, match="ROSTER_SUPPORT_URL"):
            read("ROSTER_SUPPORT_URL", url)
