"""Rate limits as settings: other quotas, and networks without limits by client."""

from dataclasses import replace

import pytest

from models import RateLimit
from models.tables.login_attempts import FREE_ATTEMPTS
from roster.config import LimitSettings
from roster.proxies import ProxyHeaders
from tests.support.email_helpers import SentEmails
from tests.support.person import PASSWORD
from tests.support.responses import ADA

WRONG = {"login": "unknown", "password": "not the password at all"}
OFFICE = "203.0.113.7"
SETTINGS = LimitSettings(
    sign_ins=RateLimit("sign-in", quota=2, window=86_400),
    name_changes=RateLimit("name-changes", quota=2, window=86_400),
    writes=RateLimit("writes", quota=2, window=86_400),
    exempt=("203.0.113.0/24", "2001:db8:77::/48"),
)


@pytest.fixture
def limited(app, make_app):
    """Return a service with small limits, and an exempt office."""
    return make_app(limits=SETTINGS)


def sign_in(client, address="198.51.100.1", body=WRONG, **headers):
    """Sign in from an address."""
    origin = {"REMOTE_ADDR": address}
    return client.post("/v1/sessions", json=body, environ_overrides=origin, headers=headers)


def statuses(client, times, *args, **options):
    """Return the statuses of several sign-ins."""
    return [sign_in(client, *args, **options).status_code for _ in range(times)]


class TestQuota:
    def test_of_the_settings(self, limited):
        """The limit of the setting counts, and is in the headers."""
        client = limited.test_client()

        assert statuses(client, 3) == [401, 401, 429]
        assert sign_in(client).headers["RateLimit-Policy"] == '"sign-in";q=2;w=86400'

    def test_others(self, limited):
        """Other limits are as without the settings."""
        response = limited.test_client().post("/v1/users", json=ADA)

        assert response.headers["RateLimit-Policy"] == '"sign-up";q=300;w=60'

    def test_writes(self, limited, jane):
        """The limit of changes is the setting's."""
        caller = replace(jane, client=limited.test_client())
        found = [
            caller.patch("/v1/users/me", json={"full_name": str(number)}).status_code
            for number in range(3)
        ]

        assert found == [200, 200, 429]

    def test_emails(self, make_app, email_settings, john, jane):
        """The limit of emails to one account is the setting's."""
        limits = LimitSettings(emails=RateLimit("mails", quota=1, window=86_400))
        other = make_app(limits=limits, email=email_settings)
        caller = replace(john, client=other.test_client())
        found = [caller.post(f"{jane.path}/password-reset").status_code for _ in range(2)]

        assert found == [202, 429]
        assert len(SentEmails(other, email_settings.folder)()) == 1

    def test_every_limit(self):
        """Each setting has a limit of its own name."""
        assert len(LimitSettings().by_name()) == 11


class TestExempt:
    @pytest.mark.parametrize("address", [OFFICE, "2001:db8:77:1::5", f"::ffff:{OFFICE}"])
    def test_inside(self, limited, address):
        """Clients in the network have no limit."""
        assert statuses(limited.test_client(), 5, address) == [401] * 5

    @pytest.mark.parametrize("address", ["203.0.114.7", "2001:db8:78::5", "198.51.100.1"])
    def test_outside(self, limited, address):
        """Others have it."""
        assert statuses(limited.test_client(), 3, address) == [401, 401, 429]

    def test_lockout(self, limited, jane):
        """The lockout of an account counts there, too."""
        body = {"login": "jane", "password": "not the password at all"}
        client = limited.test_client()
        found = statuses(client, FREE_ATTEMPTS + 1, OFFICE, body=body)
        right = sign_in(client, OFFICE, body={"login": "jane", "password": PASSWORD})

        assert found == [401] * FREE_ATTEMPTS + [429]
        assert right.status_code == 429

    def test_limits_by_user(self, limited, jane):
        """So do limits by user."""
        caller = replace(jane, client=limited.test_client())
        office = {"environ_overrides": {"REMOTE_ADDR": OFFICE}}
        found = [
            caller.patch("/v1/users/me", json={"username": "john-2"}, **office).status_code
            for _ in range(3)
        ]

        assert found[-1] == 429

    @pytest.mark.parametrize(
        "header",
        [{"X-Forwarded-For": "198.51.100.1"}, {"Forwarded": "for=198.51.100.1"}],
        ids=["X-Forwarded-For", "Forwarded"],
    )
    def test_unknown_proxy(self, limited, header):
        """A proxy in the network that is not trusted does not exempt its clients."""
        assert statuses(limited.test_client(), 3, OFFICE, **header) == [401, 401, 429]

    def test_forged_header(self, limited):
        """A client outside does not become exempt by a header field."""
        found = statuses(limited.test_client(), 3, **{"X-Forwarded-For": OFFICE})

        assert found == [401, 401, 429]

    @pytest.mark.parametrize(
        "chain, expected",
        [(OFFICE, [401, 401, 401]), ("198.51.100.1", [401, 401, 429])],
        ids=["office", "others"],
    )
    def test_trusted_proxy(self, limited, chain, expected):
        """Behind a trusted proxy the address of the client decides."""
        limited.wsgi_app = ProxyHeaders(limited.wsgi_app, ["192.0.2.7"])
        forwarded = {"X-Forwarded-For": chain}

        assert statuses(limited.test_client(), 3, "192.0.2.7", **forwarded) == expected
