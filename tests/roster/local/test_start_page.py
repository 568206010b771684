"""The start page of local mode."""

import re
from urllib.parse import urljoin

import pytest

from tests.support.page_client import OWN, PageClient, form_of, location
from tests.support.person import PASSWORD

HERE = "http://127.0.0.1:8080"
AT_HOME = {"base_url": HERE, "environ_base": {"REMOTE_ADDR": "127.0.0.1"}}


@pytest.fixture
def local(make_app, email_settings):
    """Return a browser at a service in local mode."""
    service = make_app(is_local=True, demo=True, demo_password=PASSWORD, email=email_settings)
    return PageClient(service)


class TestPage:
    def test_links(self, local):
        """The page leads to pages that exist."""
        text = local.get("/", **AT_HOME).text

        for link in ("sign-up", "account", "admin", "dev/mail", "docs", "problems"):
            assert f'href="{link}"' in text
            assert local.get(f"/{link}", **AT_HOME).status_code in (200, 303)

    @pytest.mark.parametrize("path", ["/sign-in", "/account/nothing", "/dev/mail", "/sign-up"])
    def test_way_back(self, local, path):
        """Each page leads back to it, and to the mailbox."""
        text = local.get(path, **AT_HOME).text
        links = [urljoin(path, link) for link in re.findall(r'href="([^"#]*)"', text)]

        assert {"/", "/dev/mail"} <= set(links)

    def test_not_named_elsewhere(self, app):
        """Pages of a service that is not in local mode do not name it."""
        assert "Local mode" not in PageClient(app).get("/sign-in").text

    def test_one_click(self, local, john):
        """A demo user signs in with one click."""
        form = form_of(local.get("/", **AT_HOME), "login")
        own = {**OWN, "Origin": HERE}
        response = local.post("/sign-in", form, headers=own, **AT_HOME)

        assert form["login"] == "john"
        assert location(response) == f"{HERE}/admin"

    @pytest.mark.parametrize(
        "request_",
        [
            {"base_url": "http://evil.example:8080"},
            {"base_url": HERE, "environ_base": {"REMOTE_ADDR": "192.0.2.7"}},
            {"base_url": HERE, "headers": {"X-Forwarded-For": "192.0.2.7"}},
        ],
        ids=["DNS rebinding", "remote", "proxy"],
    )
    def test_password_stays_here(self, local, request_):
        """The password of the demo users is shown to this computer only."""
        page = local.get("/", **request_)

        assert page.status_code == 200
        assert PASSWORD not in page.text

    def test_no_demo(self, make_app, email_settings):
        """Without demo users there is no button for them."""
        browser = PageClient(make_app(is_local=True, demo_password=PASSWORD, email=email_settings))

        assert PASSWORD not in browser.get("/", **AT_HOME).text

    def test_without_mailbox_and_docs(self, make_app):
        """The page leads to nothing that does not exist."""
        text = PageClient(make_app(is_local=True, docs=False)).get("/").text

        assert "dev/mail" not in text
        assert 'href="docs"' not in text

    def test_elsewhere(self, app_without_tables):
        """Outside local mode, `/` leads to the documentation."""
        response = PageClient(app_without_tables).get("/")

        assert (response.status_code, response.headers["Location"]) == (302, "/docs")
