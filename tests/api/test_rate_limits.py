"""Rate limits by route and client, and the client's address (ASVS 2.4.1, 6.3.1, 15.3.4)."""

import re
import time
from dataclasses import replace

import pytest

from api import rate_limits, write_limits
from api.rate_limits import NAME_CHANGES
from models import RateLimit, RateLimiter
from tests.support.person import PASSWORD
from tests.support.responses import ADA, outcome

WRONG = {"login": "unknown", "password": "not the password at all"}


@pytest.fixture
def small_quotas(monkeypatch, app):
    """Allow two requests of each kind a day."""
    monkeypatch.setitem(app.extensions, "roster-limits", RateLimiter())
    # The views hold the policy objects, so only their numbers can be changed.
    for policy in vars(rate_limits).values():
        if isinstance(policy, RateLimit):
            monkeypatch.setitem(policy.__dict__, "quota", 2)
            monkeypatch.setitem(policy.__dict__, "window", 86_400)


def sign_in(client, **options):
    return client.post("/v1/sessions", json=WRONG, **options)


class TestHeaders:
    def test_success(self, client):
        """A successful response has the remaining quota (draft-ietf-httpapi-ratelimit-headers)."""
        response = client.post("/v1/users", json=ADA)

        assert response.headers["RateLimit-Policy"] == '"sign-up";q=300;w=60'
        assert re.fullmatch(r'"sign-up";r=299;t=[1-9][0-9]?', response.headers["RateLimit"])

    def test_other_errors(self, client):
        """The response to a wrong password has no quota headers and no other difference."""
        assert "RateLimit" not in sign_in(client).headers

    def test_quota_exceeded(self, client, small_quotas):
        """A client without remaining quota gets the time until the next window."""
        for _ in range(2):
            assert sign_in(client).status_code == 401
        response = sign_in(client)

        assert outcome(response) == (429, "too-many-requests", [])
        assert 1 <= int(response.headers["Retry-After"]) <= 86_400
        assert response.headers["RateLimit"].startswith('"sign-in";r=0;t=')
        assert response.headers["RateLimit-Policy"] == '"sign-in";q=2;w=86400'

    def test_unlimited_routes(self, jane):
        """Reading the current user is not counted, and writes nothing."""
        assert "RateLimit" not in jane.get("/v1/users/me").headers


class TestNameChanges:
    """M5: a signed-in user cannot find accounts by repeated requests."""

    @pytest.mark.parametrize("taken", [{"username": "john"}, {"email": "john@example.com"}])
    def test_taken(self, jane, john, app, monkeypatch, taken):
        """Requests for taken values are counted before they are compared, for each user."""
        monkeypatch.setitem(app.extensions, "roster-limits", RateLimiter())
        statuses = [jane.patch("/v1/users/me", json=taken).status_code for _ in range(50)]

        assert statuses == [409] * NAME_CHANGES.quota + [429] * (50 - NAME_CHANGES.quota)

    def test_free(self, jane, small_quotas):
        """A value that is free gets the same response when the quota is spent."""
        for name in ("jane-1", "jane-2"):
            assert jane.patch("/v1/users/me", json={"username": name}).status_code == 200
        response = jane.patch("/v1/users/me", json={"username": "jane-3"})

        assert outcome(response) == (429, "too-many-requests", [])

    def test_several_accounts(self, jane, eve, small_quotas):
        """A client with several accounts has one quota for all of them."""
        for person in (jane, eve):
            person.patch("/v1/users/me", json={"username": "john"})
        response = eve.patch("/v1/users/me", json={"username": "john"})

        assert response.status_code == 429

    def test_other_clients(self, jane, eve, small_quotas):
        """An exhausted quota of one client does not affect users elsewhere."""
        for _ in range(3):
            jane.patch("/v1/users/me", json={"username": "john"})
        elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.9"}}
        response = eve.patch("/v1/users/me", json={"username": "eve-2"}, **elsewhere)

        assert response.status_code == 200

    def test_admins(self, john, jane, small_quotas):
        """Admins, who can list all users, are exempt."""
        for number in range(5):
            response = john.patch(jane.path, json={"username": f"jane-{number}"})
            assert response.status_code == 200

    def test_other_fields(self, jane, small_quotas):
        """Other fields do not count."""
        for number in range(5):
            response = jane.patch("/v1/users/me", json={"full_name": f"Jane {number}"})
            assert response.status_code == 200


class TestWrites:
    @pytest.fixture
    def small_quota(self, monkeypatch, app):
        """Allow three changes a day."""
        monkeypatch.setitem(app.extensions, "roster-writes", write_limits.WriteLimiter())
        monkeypatch.setitem(vars(write_limits.WRITES), "quota", 3)
        monkeypatch.setitem(vars(write_limits.WRITES), "window", 86_400)

    def test_burst(self, jane, small_quota, snapshot):
        """M5: a user who makes too many changes gets 429, and nothing is written."""
        for number in range(3):
            change = {"metadata": {"number": number}}
            assert jane.patch("/v1/users/me", json=change).status_code == 200
        before = snapshot()
        response = jane.patch("/v1/users/me", json={"metadata": {"number": 3}})

        assert outcome(response) == (429, "too-many-requests", [])
        assert int(response.headers["Retry-After"]) >= 1
        assert snapshot() == before

    def test_reads(self, jane, small_quota):
        """Reads are not counted."""
        for _ in range(5):
            assert jane.get("/v1/users/me").status_code == 200

    def test_other_users(self, jane, eve, small_quota):
        """Each user has a quota."""
        for number in range(4):
            jane.patch("/v1/users/me", json={"metadata": {"number": number}})

        assert eve.patch("/v1/users/me", json={"full_name": "Eve"}).status_code == 200

    def test_admins(self, john, jane, small_quota):
        """Admins are exempt: they synchronize many users."""
        for number in range(5):
            change = {"metadata": {"number": number}}
            assert john.patch(jane.path, json=change).status_code == 200

    def test_next_window(self, jane, small_quota, monkeypatch):
        """In the next window the whole quota is available again."""
        for number in range(4):
            jane.patch("/v1/users/me", json={"metadata": {"number": number}})
        tomorrow = time.time() + 86_400
        monkeypatch.setattr(write_limits.time, "time", lambda: tomorrow)

        assert jane.patch("/v1/users/me", json={"full_name": "Jane"}).status_code == 200


class TestCounting:
    def test_invalid_bodies_do_not_count(self, client, small_quotas):
        """A request that is rejected without a hash does not reduce the quota."""
        for _ in range(5):
            assert client.post("/v1/sessions", json={}).status_code == 422

        assert sign_in(client).status_code == 401

    def test_kinds_are_counted_apart(self, client, small_quotas):
        """A client that may not sign in any more may still sign up."""
        for _ in range(3):
            sign_in(client)

        assert client.post("/v1/users", json=ADA).status_code == 201

    def test_clients_are_counted_apart(self, client, small_quotas):
        """One client's attempts do not reduce another client's quota."""
        for _ in range(3):
            sign_in(client)

        other = sign_in(client, environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
        assert other.status_code == 401

    def test_ipv6_networks_are_one_client(self, client, small_quotas):
        """All addresses of an IPv6 /64 network share one quota."""
        responses = [
            sign_in(client, environ_overrides={"REMOTE_ADDR": f"2001:db8::{n}"}).status_code
            for n in range(1, 4)
        ]

        assert responses == [401, 401, 429]

    def test_admins_are_not_counted(self, john, small_quotas):
        """Users that an admin creates are not counted."""
        people = [
            {**ADA, "username": f"ada-{n}", "email": f"ada-{n}@example.com"} for n in range(4)
        ]
        responses = {john.post("/v1/users", json=person).status_code for person in people}

        assert responses == {201}

    def test_disabled(self, make_app, small_quotas):
        """With rate limits disabled, for example behind a gateway, nothing is counted."""
        client = make_app(rate_limits=False).test_client()
        responses = {sign_in(client).status_code for _ in range(5)}

        assert responses == {401}

    def test_lockout_stays_enabled(self, make_app, john):
        """Without rate limits, an account still locks after failed attempts."""
        client = make_app(rate_limits=False).test_client()
        body = {"login": "john", "password": "not the password at all"}
        responses = [client.post("/v1/sessions", json=body).status_code for _ in range(21)]

        assert responses == [401] * 20 + [429]


class TestClientAddress:
    SPOOFED = {"X-Forwarded-For": "192.0.2.77", "Forwarded": "for=192.0.2.77"}

    def seen_ip(self, person, **options):
        body = {"login": person.username, "password": PASSWORD}
        token = person.client.post("/v1/sessions", json=body, **options).json["token"]
        listed = replace(person, token=token).get("/v1/sessions").json["items"]
        return listed[0]["ip"]

    def test_no_trusted_proxies(self, jane):
        """Without trusted proxies, the address is that of the connection (ASVS 4.1.3)."""
        assert self.seen_ip(jane, headers=self.SPOOFED) == "127.0.0.1"

    def test_trusted_proxy(self, make_app, jane):
        """The address that a trusted proxy forwards is used."""
        client = make_app(trusted_proxies=("127.0.0.0/8",)).test_client()

        assert self.seen_ip(replace(jane, client=client), headers=self.SPOOFED) == "192.0.2.77"

    def test_forged_addresses(self, make_app, jane):
        """The last forwarded address that is not a trusted proxy is used (ASVS 15.3.4)."""
        client = make_app(trusted_proxies=("127.0.0.0/8", "10.0.0.0/8")).test_client()
        chain = {"X-Forwarded-For": "192.0.2.77, 198.51.100.3, 10.0.0.4"}

        assert self.seen_ip(replace(jane, client=client), headers=chain) == "198.51.100.3"

    def test_invalid_address(self, make_app, jane):
        """An invalid forwarded address is ignored, from a trusted proxy too."""
        client = make_app(trusted_proxies=("127.0.0.0/8",)).test_client()
        person = replace(jane, client=client)

        assert self.seen_ip(person, headers={"X-Forwarded-For": "<script>"}) is None

    def test_quota_by_forwarded_address(self, make_app, small_quotas):
        """Each client behind a trusted proxy has its own quota."""
        client = make_app(trusted_proxies=("127.0.0.0/8",)).test_client()
        responses = [
            sign_in(client, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code
            for n in (1, 1, 1, 2)
        ]

        assert responses == [401, 401, 429, 401]
