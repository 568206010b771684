"""Roles: those of the operator, and what auditors and support may do with other accounts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models import ClientScope, SecondFactorRule, Session, User
from models.clock import now
from tests.support.api_keys import with_key
from tests.support.person import Person
from tests.support.responses import ADA, NEW_PASSWORD, names, outcome, walk

OWN = ("billing", "team-lead")
AUDIENCE = "https://billing.example.com"
KNOWN = "There is no such role. The roles are admin, user, auditor, support, billing, team-lead."
# Whatever support may do to a user, as an admin may.
WRITES = [
    ("PATCH", "", {"status": "suspended"}),
    ("POST", "/password-reset", None),
    ("DELETE", "/lock", None),
    ("DELETE", "/sessions", None),
]
# What support and auditors may not do to any user.
ADMIN_WRITES = [
    ("PATCH", "", {"full_name": "Jane"}),
    ("PATCH", "", {"username": "jane-two"}),
    ("PATCH", "", {"email": "new@example.com"}),
    ("PATCH", "", {"metadata": {"roles": ["admin"]}}),
    ("PATCH", "", {"app_metadata": {"plan": "pro"}}),
    ("PATCH", "", {"external_id": "crm-1042"}),
    ("PATCH", "", {"email_verified": True}),
    ("PATCH", "", {"status": "suspended", "email_verified": True}),
    ("PATCH", "", {"app_metadata": {"plan": "pro"}}),
    ("PATCH", "", {"external_id": "4711"}),
    ("PATCH", "", {"email_verified": True}),
    ("PATCH", "", {"status": "suspended", "app_metadata": {"plan": "pro"}}),
    ("PATCH", "", {"roles": ["user"]}),
    ("PATCH", "", {"status": "suspended", "full_name": "Jane"}),
    ("PATCH", "", {"status": "suspended", "roles": ["user"]}),
    ("DELETE", "", None),
    ("DELETE", "/second-factor", None),
    ("DELETE", "/api-keys", None),
    ("PUT", "/password", {"current_password": "x", "new_password": NEW_PASSWORD}),
]


@pytest.fixture
def own_roles(make_app: Any) -> Any:
    """Return a function that moves a person to a service with roles of its own."""
    other = make_app(roles=OWN)
    return lambda person: replace(person, client=other.test_client())


@pytest.fixture
def admin(own_roles: Any, john: Person) -> Person:
    """Return john on the service with roles of its own."""
    return own_roles(john)


def row_of(app: Any, person: Person) -> dict[str, Any]:
    """Return the stored user."""
    with app.app_context():
        return User.get(person.id, consistent_read=True).serialize()


def introspected(app: Any, person: Person, token: str) -> dict[str, Any]:
    """Return the introspection of a token at the service of a person."""
    with app.app_context():
        clients = app.extensions["roster"].clients
        _, secret = clients.create("billing", scopes=[ClientScope.INTROSPECT], audience=AUDIENCE)
    headers = {"Authorization": f"Bearer {secret}"}
    return person.client.post("/oauth/introspect", data={"token": token}, headers=headers).json


class TestGiving:
    def test_patch(self, admin, jane):
        """An admin gives a role of the operator, also one beside the built-in ones."""
        response = admin.patch(jane.path, json={"roles": ["user", "billing", "auditor"]})

        assert response.json["roles"] == ["auditor", "billing", "user"]

    def test_register(self, admin):
        """A user can be created with one."""
        response = admin.post("/v1/users", json={**ADA, "roles": ["billing"]})

        assert (response.status_code, response.json["roles"]) == (201, ["billing"])

    @pytest.mark.parametrize("role", ["accounting", "owner", "a"])
    def test_unknown(self, app, admin, jane, role):
        """An unknown role is rejected with its position and the known ones; nothing changes."""
        before = row_of(app, jane)
        response = admin.patch(jane.path, json={"full_name": "x", "roles": ["user", role]})

        assert outcome(response) == (422, "invalid-request", ["/roles/1"])
        assert response.json["errors"][0]["detail"] == KNOWN
        assert row_of(app, jane) == before

    @pytest.mark.parametrize(
        "role", ["Admin", "ADMIN", "admin ", "\uff41dmin", "admin\n", "Billing", "", "-a", "a" * 33]
    )
    def test_form(self, app, admin, jane, role):
        """A role in another case, or with other characters, is no role."""
        before = row_of(app, jane)
        response = admin.patch(jane.path, json={"roles": [role]})

        assert outcome(response) == (422, "invalid-request", ["/roles/0"])
        assert row_of(app, jane) == before

    def test_all_faults(self, admin):
        """Unknown roles are reported with the faults of other fields."""
        body = {"username": "a b", "email": "x", "password": "short", "roles": ["user", "none"]}
        response = admin.post("/v1/users", json=body)
        without_schema_faults = admin.post("/v1/users", json={**body, "username": "adam"})

        assert outcome(response)[2] == ["/email", "/password", "/roles/1", "/username"]
        assert outcome(without_schema_faults)[2] == ["/email", "/password", "/roles/1"]

    def test_too_many(self, admin, jane):
        """A user has at most 20 roles."""
        roles = [f"role-{number}" for number in range(21)]

        assert outcome(admin.patch(jane.path, json={"roles": roles}))[2] == ["/roles"]

    def test_key(self, own_roles, jane):
        """A key gets no unknown role."""
        body = {"name": "nightly", "roles": ["accounting"]}
        response = own_roles(jane).post("/v1/users/me/api-keys", json=body)

        assert outcome(response) == (422, "invalid-request", ["/roles/0"])

    @pytest.mark.parametrize("caller", ["jane", "auditor", "support"])
    @pytest.mark.parametrize("roles", [["admin"], ["support"], ["user"], []])
    def test_self(self, app, request, caller, roles):
        """No user but an admin changes its own roles, whatever the roles."""
        person = request.getfixturevalue(caller)
        before = row_of(app, person)
        response = person.patch("/v1/users/me", json={"roles": roles})

        assert outcome(response) == (403, "forbidden", ["/roles"])
        assert row_of(app, person) == before

    @pytest.mark.parametrize("caller", ["client", "jane", "auditor", "support"])
    @pytest.mark.parametrize("extra", [{"roles": ["billing"]}, {"status": "active"}])
    def test_register_by_others(self, request, caller, extra):
        """Only an admin registers a user with roles or a status."""
        response = request.getfixturevalue(caller).post("/v1/users", json={**ADA, **extra})

        assert outcome(response)[:2] == (403, "forbidden")

    def test_metadata(self, jane):
        """A role in the metadata is none."""
        jane.patch("/v1/users/me", json={"metadata": {"roles": ["admin"], "role": "admin"}})

        assert outcome(jane.get("/v1/users"))[:2] == (403, "forbidden")
        assert jane.get("/v1/verify").headers["X-User-Roles"] == "user"

    @pytest.mark.parametrize("role", ["support", "auditor", "admin"])
    def test_old_session(self, app, john, role):
        """A role with rights over others is given with recent authentication only."""
        with app.app_context():
            session = Session.get(john.id, john.session_id)
            session.update([Session.authenticated_at.set(now() - timedelta(hours=1))])
        response = john.post("/v1/users", json={**ADA, "roles": [role]})

        assert outcome(response)[:2] == (401, "fresh-sign-in-required")


class TestManagedFields:
    @pytest.mark.parametrize("caller", ["jane", "support", "auditor", "support key"])
    @pytest.mark.parametrize(
        "body",
        [{"app_metadata": {"plan": "pro"}}, {"external_id": "4711"}, {"email_verified": True}],
        ids=lambda body: next(iter(body)),
    )
    def test_self(self, app, request, caller, body):
        """Only admins write these fields of their own account."""
        name, _, kind = caller.partition(" ")
        person = request.getfixturevalue(name)
        person = with_key(person, roles=[name], scopes=["accounts"]) if kind else person
        before = row_of(app, person)
        response = person.patch("/v1/users/me", json=body)

        assert outcome(response)[:2] == (403, "forbidden")
        assert row_of(app, person) == before


class TestTravel:
    @pytest.fixture
    def lead(self, own_roles, admin, create_user):
        """Return a user with roles of the operator."""
        person = create_user("lena")
        admin.patch(person.path, json={"roles": ["billing", "team-lead"]})
        return own_roles(person)

    def test_introspection(self, app, lead):
        """Introspection has them."""
        body = introspected(app, lead, lead.token)

        assert (body["roles"], body["scope"]) == (["billing", "team-lead"], "billing team-lead")

    def test_access_token(self, app, lead):
        """An access token has them, or some of them."""
        introspected(app, lead, lead.token)
        body = {"audience": AUDIENCE, "roles": ["billing"]}
        token = lead.post("/v1/tokens", json=body).json["access_token"]
        with app.app_context():
            signed = app.extensions["roster"].access_tokens.verify(token, AUDIENCE)

        assert signed.roles == ["billing"]

    def test_gateway(self, lead):
        """Gateways get them, and can require one."""
        assert lead.get("/v1/verify").headers["X-User-Roles"] == "billing,team-lead"
        assert lead.get("/v1/verify?role=billing").status_code == 200
        assert outcome(lead.get("/v1/verify?role=auditor"))[:2] == (403, "forbidden")
        assert outcome(lead.get("/v1/verify?role=accounting")) == (
            422,
            "invalid-request",
            ["/role"],
        )

    def test_key(self, app, lead):
        """A key has them; without `user`, `support` or `admin` it can only read."""
        key = with_key(lead, roles=["billing"])
        introspected(app, lead, lead.token)

        assert key.get("/v1/verify").headers["X-User-Roles"] == "billing"
        assert key.post("/v1/tokens", json={"audience": AUDIENCE}).status_code == 201
        assert outcome(key.patch("/v1/users/me", json={"full_name": "x"}))[:2] == (403, "forbidden")

    def test_key_by_default(self, own_roles, admin, create_user):
        """A key whose request names no roles has none with rights over others."""
        person = create_user("lena")
        roles = ["admin", "auditor", "billing", "support", "user"]
        admin.patch(person.path, json={"roles": roles})
        response = own_roles(person).post("/v1/users/me/api-keys", json={"name": "nightly"})

        assert response.json["roles"] == ["billing", "user"]

    @pytest.mark.parametrize(
        "method, path",
        [("GET", "/v1/users"), ("GET", "/v1/statistics"), ("GET", "/v1/clients")],
    )
    def test_no_power(self, lead, method, path):
        """They allow nothing here."""
        assert outcome(lead.request(method, path))[:2] == (403, "forbidden")


class TestRemoved:
    @pytest.fixture
    def former(self, own_roles, john, create_user):
        """Return a user with a role that the service no longer has."""
        person = create_user("lena")
        own_roles(john).patch(person.path, json={"roles": ["billing", "user"]})
        return person

    def test_shown(self, former, john):
        """It is shown."""
        assert former.get("/v1/users/me").json["roles"] == ["billing", "user"]
        assert john.get("/v1/users").json["items"][0]["roles"] == ["billing", "user"]

    def test_counts_for_nothing(self, app, former):
        """It is in no token, and opens nothing."""
        assert introspected(app, former, former.token)["roles"] == ["user"]
        assert former.get("/v1/verify").headers["X-User-Roles"] == "user"
        assert outcome(former.get("/v1/verify?role=billing"))[2] == ["/role"]

    def test_key(self, own_roles, john, create_user):
        """A key with no other role can only read, and gets no token."""
        person = create_user("lena")
        own_roles(john).patch(person.path, json={"roles": ["billing", "user"]})
        key = replace(with_key(own_roles(person), roles=["billing"]), client=person.client)

        assert key.get("/v1/users/me").status_code == 200
        assert outcome(key.patch("/v1/users/me", json={"full_name": "x"}))[0] == 403
        assert outcome(key.post("/v1/tokens", json={"audience": AUDIENCE}))[0] == 403

    def test_update_keeps_it(self, former, john):
        """An update that sends back the roles it has read succeeds."""
        body = {"roles": ["user", "billing", "auditor"]}

        assert john.patch(former.path, json=body).json["roles"] == ["auditor", "billing", "user"]

    def test_update_removes_it(self, former, john):
        """Once it is taken away it cannot be given again."""
        john.patch(former.path, json={"roles": ["user"]})
        response = john.patch(former.path, json={"roles": ["user", "billing"]})

        assert outcome(response) == (422, "invalid-request", ["/roles/1"])

    def test_filter(self, former, john):
        """The list cannot be filtered by it."""
        response = john.get("/v1/users?role=billing")

        assert outcome(response) == (422, "invalid-request", ["/role"])

    def test_comes_back(self, former, own_roles):
        """It counts again when the service has it again."""
        person = own_roles(former)

        assert person.get("/v1/verify").headers["X-User-Roles"] == "billing,user"


class TestList:
    @pytest.mark.parametrize(
        "role, expected",
        [
            ("admin", {"both", "john"}),
            ("support", {"both", "helper", "sue"}),
            ("auditor", {"audrey", "helper"}),
            ("billing", {"lena"}),
            ("team-lead", set()),
        ],
    )
    def test_by_role(self, admin, auditor, support, create_user, role, expected):
        """Each list has all users with the role, also those with a stronger one."""
        create_user("both", roles=["admin", "support"])
        create_user("helper", roles=["auditor", "support", "user"])
        admin.patch(create_user("lena").path, json={"roles": ["billing"]})

        assert set(names(admin.get(f"/v1/users?role={role}"))) == expected

    def test_pages(self, admin, create_user, register):
        """The pages of a list are in the order of creation, whatever the strongest role."""
        register("first", roles=["auditor"])
        register("second", roles=["admin", "auditor"])
        register("third", roles=["auditor", "support"])
        pages = walk(admin, "/v1/users?role=auditor&limit=2")

        assert list(pages) == [["third", "second"], ["first"]]

    def test_cost(self, admin, support, register, database_calls):
        """The list of support costs a query for each partition of users with rights."""
        register("jane-2")
        with database_calls() as calls:
            admin.get("/v1/users?role=support")

        assert sorted(calls) == ["BatchGetItem", "Query", "Query"]


class TestSupport:
    @pytest.mark.parametrize("method, path, body", WRITES)
    @pytest.mark.parametrize("caller", ["support", "key", "key of an admin"])
    def test_admin(self, app, john, support, create_user, caller, method, path, body):
        """The account of an admin is closed to it, also with a key of an admin."""
        both = create_user("both", roles=["admin", "support"])
        key = {"roles": ["support"], "scopes": ["accounts"]}
        callers = {
            "support": lambda: support,
            "key": lambda: with_key(support, **key),
            "key of an admin": lambda: with_key(both, **key),
        }
        person = callers[caller]()
        before = row_of(app, john)
        response = person.request(method, john.path + path, json=body)

        assert outcome(response)[:2] == (403, "forbidden")
        assert row_of(app, john) == before

    def test_own_account_of_an_admin(self, app, create_user):
        """A key with the role support of an admin does not suspend its own owner."""
        both = create_user("both", roles=["admin", "support"])
        create_user("root", roles=["admin"])
        key = with_key(both, roles=["support"], scopes=["accounts"])
        response = key.patch("/v1/users/me", json={"status": "suspended"})

        assert outcome(response)[:2] == (403, "forbidden")
        assert row_of(app, both)["status"] == {"S": "active"}

    @pytest.mark.parametrize("method, path, body", ADMIN_WRITES)
    @pytest.mark.parametrize("caller", ["support", "auditor", "support key", "auditor key"])
    def test_rights_of_admins(self, app, jane, request, caller, method, path, body):
        """What only admins may do is closed to it, and to auditors."""
        name, _, kind = caller.partition(" ")
        person = request.getfixturevalue(name)
        person = with_key(person, roles=[name], scopes=["accounts"]) if kind else person
        before = row_of(app, jane)
        response = person.request(method, jane.path + path, json=body)

        assert outcome(response)[:2] == (403, "forbidden")
        assert row_of(app, jane) == before

    def test_suspends_and_reactivates(self, support, jane):
        """It suspends a user, whose sessions end, and reactivates it."""
        suspended = support.patch(jane.path, json={"status": "suspended"})

        assert suspended.json["status"] == "suspended"
        assert jane.get("/v1/users/me").status_code == 401
        assert support.patch(jane.path, json={"status": "active"}).json["status"] == "active"

    def test_deleted_status(self, support, jane):
        """It does not delete a user by its status."""
        assert outcome(support.patch(jane.path, json={"status": "deleted"}))[2] == ["/status"]

    def test_events(self, support, jane):
        """What it does has its ID as the actor."""
        support.delete(f"{jane.path}/sessions")
        event = support.get(f"/v1/events?user={jane.id}&actor={support.id}").json["items"][0]

        assert (event["type"], event["actor_id"]) == ("sessions.ended", support.id)

    def test_scope(self, support, jane):
        """Its key needs the scope `accounts` to suspend."""
        key = with_key(support, roles=["support"])

        assert outcome(key.patch(jane.path, json={"status": "suspended"}))[0] == 403

    @pytest.mark.parametrize("caller", ["support", "auditor"])
    def test_closed_sign_up(self, with_signup_closed, request, caller):
        """While sign-up is closed, it creates no user."""
        person = with_signup_closed(request.getfixturevalue(caller))

        assert outcome(person.post("/v1/users", json=ADA))[:2] == (403, "forbidden")

    @pytest.mark.parametrize("caller", ["support", "auditor"])
    def test_reserved_username(self, request, caller):
        """It assigns no reserved username."""
        person = request.getfixturevalue(caller)
        response = person.post("/v1/users", json={**ADA, "username": "root"})

        assert outcome(response)[2] == ["/username"]

    @pytest.mark.parametrize("name", ["auditor", "billing-1", "team.lead"])
    def test_username_of_a_role(self, make_app, name):
        """Users cannot choose a username like a role."""
        client = make_app(roles=OWN).test_client()
        response = client.post("/v1/users", json={**ADA, "username": name})

        assert outcome(response)[2] == ["/username"]


class TestSecondFactor:
    @pytest.fixture
    def strict(self, make_app):
        """Return a function that moves a person to a service that requires second factors."""
        other = make_app(second_factor=SecondFactorRule.ADMINS)
        return lambda person: replace(person, client=other.test_client())

    @pytest.mark.parametrize("caller", ["support", "auditor"])
    def test_required(self, app, strict, jane, request, caller):
        """Where admins need a second factor, it has no rights without one, nor its role."""
        person = strict(request.getfixturevalue(caller))

        assert outcome(person.get("/v1/users"))[:2] == (403, "second-factor-missing")
        assert outcome(person.get(jane.path))[:2] == (403, "second-factor-missing")
        assert introspected(app, person, person.token)["roles"] == []
        assert person.get("/v1/users/me").status_code == 200
