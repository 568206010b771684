"""A product's pages in a browser: colors, logo, languages, templates; see `make test-browser`."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_docs_page import HERE, IS_INSTALLED
from tests.support.process_harness import DEMO_PASSWORD, ProcessHarness

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="make test-browser installs a browser")

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 20"></svg>'
TEMPLATE = (
    '{% extends "ours/sign_in/sign_in.html" %}'
    '{% block content %}{{ super() }}<p class="own">{{ name }}</p>{% endblock %}'
)


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Use the pages of a product in three languages, and check them with axe."""
    folder = tmp_path_factory.mktemp("branding")
    logo = folder / "logo.svg"
    logo.write_text(LOGO)
    template = folder / "templates/pages/sign_in/sign_in.html"
    template.parent.mkdir(parents=True)
    template.write_text(TEMPLATE)
    settings = {
        "ROSTER_NAME": "Acme",
        "ROSTER_COLOR": "#6a1b9a",
        "ROSTER_LOGO": str(logo),
        "ROSTER_SUPPORT_URL": "https://help.example.com",
        "ROSTER_TEMPLATES": str(folder / "templates"),
    }
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("data"))) as stage:
        base = f"http://127.0.0.1:{stage.serve(**settings).port}"
        driver = subprocess.run(
            ["node", HERE / "branding.mjs", base, DEMO_PASSWORD],
            capture_output=True,
            text=True,
            timeout=170,
        )
        assert driver.returncode == 0, driver.stderr
        yield json.loads(driver.stdout)


class TestBranding:
    def test_colors(self, observed):
        """ROSTER_COLOR is the color of buttons, and a lighter one of its hue on dark pages."""
        assert observed["lightButton"] == "rgb(106, 27, 154)"
        assert observed["darkButton"] not in ("rgb(106, 27, 154)", "rgb(156, 194, 255)")

    def test_logo(self, observed):
        """A logo without a size of its own is visible, with the name as its text."""
        assert observed["logo"] == [176, 44, "Acme"]

    def test_help(self, observed):
        """The link to help is in every page."""
        assert observed["help"] == "https://help.example.com"

    def test_template(self, observed):
        """A template of the operator extends ours."""
        assert observed["own"] == "Acme"


class TestLanguages:
    def test_language(self, observed):
        """The pages are in the language of the browser, and say so."""
        assert observed["languages"] == {"de-DE": "de", "es-ES": "es", "fr-FR": "fr"}
        assert observed["titles"] == {
            "de-DE": "Anmelden - Acme",
            "es-ES": "Iniciar sesi\u00f3n - Acme",
            "fr-FR": "Se connecter - Acme",
        }

    def test_scripts(self, observed):
        """What scripts add is in the language, too."""
        assert observed["shown"].strip() == "Passwort anzeigen"


class TestPasswordCheck:
    def test_verdicts(self, observed):
        """While a password is typed, the page says whether the service would accept it."""
        short, own_name, good, empty = observed["verdicts"]

        assert short == "Ein Passwort hat mindestens 15 Zeichen; ein Satz ist gut."
        assert own_name.startswith("Ohne Ihren Benutzernamen, Ihren Namen")
        assert good == "Dieses Passwort erf\u00fcllt die Regeln."
        assert empty == ""

    def test_sent_form(self, observed):
        """No check follows a form that was sent, whose token the response may have replaced."""
        assert observed["checksAfterSending"] == 0


class TestAccessibility:
    def test_axe(self, observed):
        """WCAG 2.2 AA: axe finds nothing, with the color of the product, light and dark."""
        assert observed["axe"] == []
        assert observed["checked"] == 30

    def test_narrow(self, observed):
        """No page is wider than the screen, whose words may be longer than the English ones."""
        assert observed["overflow"] == []

    def test_console_is_empty(self, observed):
        """The console has no errors of scripts or policy."""
        assert observed["console"] == []
