"""The hand-written parts of the client."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from roster_client import (
    AuthenticatedClient,
    Client,
    ProblemError,
    Retries,
    UnexpectedStatus,
    each,
    each_async,
    expect,
)
from roster_client.api.sessions import list_sessions, sign_in, sign_out
from roster_client.api.users import create_user, get_user, list_users
from roster_client.models import (
    CreatedClientSecret,
    Credentials,
    NewUser,
    Problem,
    User,
)

ADA = {
    "id": "01a1fb07-5f9c-7229-8e0e-c7853035f505",
    "username": "ada",
    "email": "ada@example.com",
    "email_verified": True,
    "full_name": "",
    "locale": None,
    "roles": ["user"],
    "status": "active",
    "metadata": {},
    "app_metadata": {},
    "external_id": None,
    "created_at": "2026-11-27T10:00:00Z",
    "updated_at": "2026-11-27T10:00:00Z",
    "last_login_at": None,
}
NEW = NewUser(username="ada", email="ada@example.com", password="a long password of ada")


def problem(status, slug="busy"):
    return {
        "type": f"/problems/{slug}",
        "title": "Title",
        "status": status,
        "detail": "Detail",
        "request_id": "1",
    }


def busy(after="0"):
    return 503, {"Retry-After": after}, problem(503)


OK = (200, {}, ADA)


def page(cursor, *names):
    return 200, {}, {"items": [{**ADA, "username": name} for name in names], "next_cursor": cursor}


class TestRetries:
    def test_busy(self, serve):
        """A request is repeated until the service has time for it."""
        server = serve(busy(), busy(), OK)
        with AuthenticatedClient(server.url, "rst_1") as client:
            user = expect(get_user.sync("me", client=client))

        assert user.username == "ada"
        assert len(server.requests) == 3

    def test_busy_async(self, serve):
        """The same for the functions that are awaited."""
        server = serve(busy(), OK)

        async def read():
            async with AuthenticatedClient(server.url, "rst_1") as client:
                return expect(await get_user.asyncio("me", client=client))

        assert asyncio.run(read()).username == "ada"
        assert len(server.requests) == 2

    def test_busy_for_long(self, serve):
        """The last answer is returned when the attempts are used up."""
        server = serve(busy(), busy())
        with Client(server.url, retries=Retries(attempts=2)) as client:
            result = sign_in.sync(client=client, body=Credentials(login="ada", password="x"))

        assert isinstance(result, Problem)
        assert len(server.requests) == 2

    @pytest.mark.parametrize(
        "after",
        ["31", "99999999999999999999", "soon", "", "-1", "1.5", "\xb2"],
        ids=["long", "very long", "word", "empty", "negative", "fraction", "superscript"],
    )
    def test_other_waits(self, serve, after):
        """A wait that is too long, or no number or date, ends the attempts."""
        server = serve(busy(after))
        with Client(server.url) as client:
            sign_in.sync(client=client, body=Credentials(login="ada", password="x"))

        assert len(server.requests) == 1

    @pytest.mark.parametrize("days", [-1, 0], ids=["past", "now"])
    def test_date(self, serve, days):
        """`Retry-After` may be a date, as proxies send it."""
        until = datetime.now(UTC) + timedelta(days=days)
        server = serve(busy(format_datetime(until, usegmt=True)), OK)
        with AuthenticatedClient(server.url, "rst_1") as client:
            get_user.sync("me", client=client)

        assert len(server.requests) == 2

    def test_distant_date(self, serve):
        """A date beyond the patience ends the attempts."""
        until = datetime.now(UTC) + timedelta(days=1)
        server = serve(busy(format_datetime(until, usegmt=True)))
        with AuthenticatedClient(server.url, "rst_1") as client:
            get_user.sync("me", client=client)

        assert len(server.requests) == 1

    def test_date_without_zone(self, serve):
        """A date without a zone is in UTC."""
        until = datetime.now(UTC) - timedelta(days=1)
        server = serve(busy(until.strftime("%a, %d %b %Y %H:%M:%S")), OK)
        with AuthenticatedClient(server.url, "rst_1") as client:
            get_user.sync("me", client=client)

        assert len(server.requests) == 2

    @pytest.mark.parametrize("status", [429, 500])
    def test_other_errors(self, serve, status):
        """Other errors are returned at once, also with `Retry-After`."""
        server = serve((status, {"Retry-After": "0"}, problem(status)))
        with Client(server.url) as client:
            sign_in.sync(client=client, body=Credentials(login="ada", password="x"))

        assert len(server.requests) == 1

    def test_body_in_pieces(self, serve):
        """A body that is gone after the first attempt is not sent again."""
        server = serve(busy())
        with Client(server.url) as client:
            response = client.get_httpx_client().post(
                "/v1/users", content=iter([b"{}"]), headers={"Content-Length": "2"}
            )

        assert response.status_code == 503
        assert len(server.requests) == 1


class TestIdempotencyKeys:
    def test_each_attempt(self, serve):
        """All attempts of a request have the same key and body."""
        server = serve(busy(), (201, {}, ADA))
        with Client(server.url) as client:
            create_user.sync(client=client, body=NEW)

        first, second = server.requests
        assert server.keys[0] is not None
        assert server.keys[0] == server.keys[1]
        assert first[3] == second[3] != b""

    def test_each_request(self, serve):
        """Each request has a key of its own."""
        server = serve((201, {}, ADA), (201, {}, ADA))
        with Client(server.url) as client:
            create_user.sync(client=client, body=NEW)
            create_user.sync(client=client, body=NEW)

        assert len(set(server.keys)) == 2

    def test_own_key(self, serve):
        """A key of the caller stays."""
        server = serve((201, {}, ADA))
        with Client(server.url, headers={"Idempotency-Key": "order-4711-of-ada"}) as client:
            create_user.sync(client=client, body=NEW)

        assert server.keys == ["order-4711-of-ada"]

    def test_reads(self, serve):
        """Requests that change nothing, and deletions, have no key."""
        server = serve(OK, (204, {}, None))
        with AuthenticatedClient(server.url, "rst_1") as client:
            get_user.sync("me", client=client)
            sign_out.sync(client=client)

        assert server.keys == [None, None]


class TestEach:
    def test_pages(self, serve):
        """All pages are read, each when it is needed, with the same filters."""
        server = serve(page("c1", "ada", "bob"), page(None, "eve"))
        with AuthenticatedClient(server.url, "rst_1") as client:
            users = each(list_users.sync, client=client, limit=2, role="user")
            names = [user.username for user in users]

        assert names == ["ada", "bob", "eve"]
        assert [request[1] for request in server.requests] == [
            "/v1/users?limit=2&role=user",
            "/v1/users?limit=2&cursor=c1&role=user",
        ]

    def test_first_row(self, serve):
        """Who stops after the first row reads one page."""
        server = serve(page("c1", "ada", "bob"))
        with AuthenticatedClient(server.url, "rst_1") as client:
            user = next(each(list_users.sync, client=client))

        assert isinstance(user, User)
        assert len(server.requests) == 1

    def test_pages_async(self, serve):
        """The same with `async for`."""
        server = serve(page("c1", "ada"), page(None, "eve"))

        async def read():
            async with AuthenticatedClient(server.url, "rst_1") as client:
                users = each_async(list_users.asyncio, client=client, limit=1)
                return [user.username async for user in users]

        assert asyncio.run(read()) == ["ada", "eve"]

    def test_rejected(self, serve):
        """A rejection in the middle is raised, and does not end the list as if it were whole."""
        server = serve(page("c1", "ada"), (401, {}, problem(401, "unauthenticated")))
        with AuthenticatedClient(server.url, "rst_1") as client:
            users = each(list_users.sync, client=client)
            next(users)

            with pytest.raises(ProblemError, match="401 Title: Detail"):
                next(users)


class TestExpect:
    def test_problem(self, serve):
        """A rejection is raised with what the service answered."""
        server = serve((404, {}, problem(404, "user-not-found")))
        client = AuthenticatedClient(server.url, "rst_1")
        with client, pytest.raises(ProblemError) as caught:
            expect(get_user.sync("me", client=client))

        assert caught.value.problem.type_ == "/problems/user-not-found"

    def test_nothing(self, serve):
        """An operation without a body has no result to expect."""
        server = serve((204, {}, None))
        client = AuthenticatedClient(server.url, "rst_1")
        with client, pytest.raises(ValueError, match="no body"):
            expect(sign_out.sync(client=client))

    def test_answer_of_a_proxy(self, serve):
        """A status that the service never sends is an error of its own."""
        server = serve((502, {}, "bad gateway"))
        client = AuthenticatedClient(server.url, "rst_1")
        with client, pytest.raises(UnexpectedStatus, match="502"):
            list_sessions.sync(client=client)


class TestRepresentations:
    def test_sent_secrets(self):
        """What a program sends can be logged without its secrets."""
        credentials = Credentials(login="ada", password="a-secret", otp="123456")

        assert repr(credentials) == "Credentials(login='ada')"

    def test_received_secrets(self):
        """What a program receives, too."""
        times = {"created_at": ADA["created_at"], "last_used_at": None}
        body = {"id": "1", "secret": "rsc_1", **times, "newer": "rsx_2"}
        created = CreatedClientSecret.from_dict(body)

        assert created.secret == "rsc_1"
        assert created["newer"] == "rsx_2"
        assert "rsc_1" not in repr(created)
        assert "rsx_2" not in repr(created)

    def test_order(self):
        """Members that are required stay so."""
        with pytest.raises(TypeError, match="password"):
            Credentials(login="ada")

    def test_unset(self):
        """Members that are left out are not sent."""
        credentials = Credentials(login="ada", password="a-secret")

        assert credentials.to_dict() == {"login": "ada", "password": "a-secret"}


class TestClient:
    @pytest.mark.parametrize(
        "url", ["", "accounts.example.com", "/v1", "ftp://a.example", "http://"]
    )
    def test_not_a_url(self, url):
        """A slip in the URL is an error when the client is made, not one of the network."""
        with pytest.raises(ValueError, match="is not a URL"):
            Client(url)

    @pytest.mark.parametrize("end", ["/v1", "/v1/", "/prefix/v1"])
    def test_version_in_the_url(self, end):
        """A URL with `/v1` is an error, since the operations add it."""
        with pytest.raises(ValueError, match="leave it out"):
            Client(f"https://accounts.example.com{end}")

    def test_prefix(self, serve):
        """A service below a path works."""
        server = serve(OK)
        with AuthenticatedClient(f"{server.url}/accounts/", "rst_1") as client:
            get_user.sync("me", client=client)

        assert server.requests[0][1] == "/accounts/v1/users/me"

    def test_empty_token(self):
        """An unset variable is an error when the client is made."""
        with pytest.raises(ValueError, match="token is empty"):
            AuthenticatedClient("https://accounts.example.com", "")

    def test_representation(self):
        """The representation shows no token."""
        client = AuthenticatedClient("https://accounts.example.com", "rst_secret")

        assert repr(client) == "<AuthenticatedClient of https://accounts.example.com>"

    def test_options(self, serve):
        """Options of httpx are passed on, and header fields are kept beside the token."""
        server = serve(OK)
        with AuthenticatedClient(server.url, "rst_1", headers={"X-Request-Id": "7"}) as client:
            get_user.sync("me", client=client)

        headers = server.requests[0][2]
        assert (headers["x-request-id"], headers["authorization"]) == ("7", "Bearer rst_1")

    def test_unreachable(self):
        """A service that cannot be reached is an error of httpx."""
        with Client("http://127.0.0.1:9") as client, pytest.raises(httpx.ConnectError):
            sign_in.sync(client=client, body=Credentials(login="ada", password="x"))
