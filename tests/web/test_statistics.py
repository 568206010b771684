"""The page of counts in the console."""

import re

import pytest

from models.tables.daily_count import Counted
from tests.support.page_client import PageClient
from tests.support.person import PASSWORD

PATH = "/admin/statistics"


@pytest.fixture
def browser(app, john):
    """Return a browser in which john, an admin, is signed in."""
    return PageClient(app).sign_in("john", PASSWORD)


def rows_of(page):
    """Return the texts of the cells of each row below the heads of the tables."""
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page.text, re.DOTALL)
    return [re.findall(r">?([^<>]+)<", f">{row}<") for row in rows]


class TestPage:
    def test_numbers(self, app, browser):
        """There is a row for a week, one for a month, and one for each day, today first."""
        services = app.extensions["roster"]
        assert services.background.drain(10)
        with app.app_context():
            for _ in range(41):
                services.statistics.count(Counted.FAILED_SIGN_INS)
        assert services.background.drain(10)
        rows = rows_of(browser.get(PATH))

        assert [row[0] for row in rows[:2]] == ["last 7 days", "last 30 days"]
        assert [row[3] for row in rows[:4]] == ["41", "41", "41", "0"]
        assert len(rows) == 2 + 30

    def test_nothing_counted(self, browser):
        """Without any count the page is complete, and the bars have a width."""
        page = browser.get(PATH)

        assert page.status_code == 200
        assert page.text.count('width="0"') >= 29
        assert len(rows_of(page)) == 32

    def test_users(self, browser, jane, eve):
        """The number of users is there, with the age that it may have."""
        text = browser.get(PATH).text

        assert "about 3" in text
        assert "updated about every six hours" in text

    def test_no_inline_style(self, browser):
        """The bars need neither a script nor a style that the policy would block."""
        page = browser.get(PATH)

        assert "style=" not in page.text
        assert page.text.count('<svg viewBox="0 0 100 1"') == 30
        assert page.text.count('aria-hidden="true"') == 30

    def test_link(self, browser):
        """The console leads to the page."""
        assert 'href="admin/statistics"' in browser.get("/admin").text.replace("./", "")

    def test_language(self, browser):
        """The page is in the language of the browser."""
        page = browser.get(PATH, headers={"Accept-Language": "de"})

        assert "Fehlgeschlagene Anmeldungen" in page.text
        assert "letzte 30 Tage" in page.text
