"""The logo, the colors and the link to help, in all pages."""

import pytest

from tests.support.page_client import PageClient
from tests.support.person import PASSWORD

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
URL = "https://www.example.com/logo.svg"


@pytest.fixture
def logo(tmp_path):
    """Return the file of a logo."""
    path = tmp_path / "logo.svg"
    path.write_bytes(SVG)
    return path


class TestLogo:
    def test_file(self, make_app, logo):
        """A file is shown with the name of the product as its text, and served by us."""
        browser = PageClient(make_app(name="A & B", logo=logo))
        text = browser.get("/sign-in").text
        image = browser.get("/brand/logo")

        assert '<img class="logo" src="brand/logo" alt="A &amp; B">' in text
        assert (image.data, image.mimetype) == (SVG, "image/svg+xml")
        assert image.headers["X-Content-Type-Options"] == "nosniff"

    def test_scripts_in_it(self, make_app, logo):
        """Opened by its URL, a script in an SVG image does not run."""
        policy = PageClient(make_app(logo=logo)).get("/brand/logo").headers

        assert policy["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )

    def test_current(self, make_app, logo):
        """A browser that has the current file gets no second one."""
        browser = PageClient(make_app(logo=logo))
        tag = browser.get("/brand/logo").headers["ETag"]

        assert browser.get("/brand/logo", headers={"If-None-Match": tag}).status_code == 304

    def test_url(self, make_app):
        """An image of another host is allowed by its URL, and nothing else there."""
        page = PageClient(make_app(logo=URL)).get("/sign-in")

        assert f'src="{URL}"' in page.text
        assert f"img-src 'self' {URL} data:;" in page.headers["Content-Security-Policy"]
        assert page.headers["Content-Security-Policy"].count("example.com") == 1

    def test_link_is_relative(self, make_app, logo, jane):
        """The link is relative to the page, as all of them."""
        browser = PageClient(make_app(logo=logo)).sign_in("jane", PASSWORD)

        assert 'src="../brand/logo"' in browser.get("/account/email").text

    def test_none(self, browser):
        """Without a logo there is the name, and no such file."""
        assert '<strong class="brand">Roster' in browser.get("/sign-in").text
        assert browser.get("/brand/logo").status_code == 404


class TestColors:
    def test_style(self, make_app):
        """The colors are a file of this origin, after our own."""
        browser = PageClient(make_app(colors=("#6a1b9a", "#ce93d8")))
        text = browser.get("/sign-in").text
        style = browser.get("/brand/colors.css")

        assert text.index("pages.css") < text.index('href="brand/colors.css"')
        assert style.mimetype == "text/css"
        assert "--pico-primary: #6a1b9a;" in style.text
        assert "--pico-primary: #ce93d8;" in style.text

    def test_none(self, browser):
        """Without colors there is no such file."""
        assert "colors.css" not in browser.get("/sign-in").text


class TestSupport:
    def test_link(self, make_app, jane):
        """The link to help is in every page."""
        browser = PageClient(make_app(support_url="mailto:help@example.com"))
        before = browser.get("/sign-in").text
        after = browser.sign_in("jane", PASSWORD).get("/account").text

        assert 'href="mailto:help@example.com"' in before
        assert 'href="mailto:help@example.com"' in after

    def test_none(self, browser):
        """Without the setting there is none."""
        assert "Get help" not in browser.get("/sign-in").text


class TestPassword:
    def test_name_of_the_product(self, make_app):
        """A password that consists of the name of the product is rejected."""
        response = PageClient(make_app(name="Zweifel Chips")).send(
            "/sign-up", username="rosa", email="rosa@example.com", password="ZweifelChips2026!x"
        )

        assert "Without the easily guessed word" in response.text
