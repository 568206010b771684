"""Invitations: races, authority, and settings that change before one is accepted."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from models import ANONYMOUS, Invitation, Invitations, KnownRoles, MetadataRules, User
from models.clock import now
from models.errors import (
    AlreadyInvited,
    EmailTaken,
    InvalidInvitation,
    InvitationNotFound,
    InvitationOutdated,
)
from models.services import metadata_schema
from models.tables.audit_event import AuditEvent
from models.tables.identifier import Identifier, invitation_key
from tests.support.invariants import audited_users
from tests.support.person import PASSWORD

EMAIL = "eve@example.com"


@pytest.fixture
def invitations(accounts):
    return Invitations(accounts)


@pytest.fixture
def john(register):
    """Return an admin; there is another one, so that john can lose the role."""
    register("ida", roles=["admin"])
    return register("john", roles=["admin"])


@pytest.fixture
def by_john(john):
    """Return john as the actor of a change, as from a command."""
    return replace(ANONYMOUS, user_id=john.id)


@pytest.fixture
def invite(invitations, by_john, mailbox):
    """Return a function that invites an address as john; returns the invitation and its token."""

    def create(email=EMAIL, **fields):
        row = invitations.create(email, by=by_john, **fields)
        return row, mailbox[-1].token

    return create


def types_of(row):
    return [event.type for event in AuditEvent.query(row.id)]


class TestRaces:
    def test_invited_at_the_same_time(self, invitations, run_concurrently):
        """One of several invitations of an address is created, in whatever case."""
        outcomes = run_concurrently(
            *(partial(invitations.create, email) for email in (EMAIL, EMAIL.upper(), EMAIL))
        )

        [created] = [each for each in outcomes if isinstance(each, Invitation)]
        others = {type(each) for each in outcomes if each is not created}
        assert others == {AlreadyInvited}
        assert [row.id for row in Invitation.scan()] == [created.id]

    def test_accepted_at_the_same_time(self, invite, invitations, run_concurrently):
        """Several acceptances with one token make one user."""
        row, token = invite()

        outcomes = run_concurrently(
            *[lambda: invitations.accept(token, password=PASSWORD)] * 4,
        )

        [user] = [each for each in outcomes if isinstance(each, User)]
        assert {type(each) for each in outcomes if each is not user} == {InvalidInvitation}
        assert [each.id for each in audited_users() if each.email == EMAIL] == [user.id]
        assert types_of(row) == ["invitation.created", "invitation.accepted"]

    def test_accepted_and_revoked_at_the_same_time(self, invite, invitations, run_concurrently):
        """Either the user exists, or the invitation was revoked."""
        row, token = invite()

        accepted, revoked = run_concurrently(
            lambda: invitations.accept(token, password=PASSWORD),
            lambda: invitations.revoke(row.id),
        )

        users = [each for each in audited_users() if each.email == EMAIL]
        assert len(users) == int(isinstance(accepted, User)) == int(revoked is not None)
        assert list(Invitation.scan()) == []

    def test_sent_again_at_the_same_time(self, invite, invitations, mailbox, run_concurrently):
        """The token of the last email is valid, and no other."""
        row, _ = invite()

        run_concurrently(*[lambda: invitations.resend(invitations.get(row.id))] * 3)

        tokens = {email.token for email in mailbox if email.token}
        outcomes = [accepts(invitations, token) for token in tokens]
        assert len(tokens) == 4
        assert sum(outcomes) == 1
        assert invitations_left() == []

    def test_registered_meanwhile(self, invite, invitations, register):
        """A registered address stays with its user, and the invitation stays, too."""
        row, token = invite()
        eve = register("eve")

        with pytest.raises(EmailTaken):
            invitations.accept(token, password=PASSWORD)

        assert [each.id for each in audited_users() if each.email == EMAIL] == [eve.id]
        assert invitations.get(row.id).token_digest == row.token_digest


def accepts(invitations, token):
    """Return whether a token is accepted."""
    try:
        invitations.accept(token, password=PASSWORD)
    except InvalidInvitation:
        return False
    return True


def invitations_left():
    """Return the invitations, and the reservations of their addresses."""
    held = [row.value for row in Identifier.scan() if row.value.startswith("invitation#")]
    return [*Invitation.scan(), *held]


class TestAuthority:
    @pytest.mark.parametrize(
        "loss", [{"roles": ["user"]}, {"status": "suspended"}], ids=["demoted", "suspended"]
    )
    def test_lost_while_it_is_accepted(self, invite, invitations, accounts, john, loss):
        """The condition is part of the transaction: what was read before does not count."""
        _, token = invite()
        hash_password = accounts.hasher.hash

        def lose(password):
            accounts.update(john, loss)
            return hash_password(password)

        accounts.hasher.hash = lose
        with pytest.raises(InvalidInvitation):
            invitations.accept(token, password=PASSWORD)

        assert not [each for each in audited_users() if each.email == EMAIL]

    def test_second_factor(self, accounts, invite):
        """Where admins need a second factor, an invitation of one without it is void."""
        _, token = invite()
        strict = Invitations(accounts, requires_second_factor=True)

        with pytest.raises(InvalidInvitation):
            strict.accept(token, password=PASSWORD)

    def test_operator(self, invitations, mailbox):
        """An invitation of the operator depends on no user."""
        invitations.create(EMAIL)

        assert invitations.accept(mailbox[-1].token, password=PASSWORD).email == EMAIL


class TestSettings:
    def test_removed_role(self, accounts, invite, invitations):
        """A role that was removed makes the invitation void for now, and nothing changes."""
        accounts.roles = KnownRoles(["billing"])
        row, token = invite(roles=["user", "billing"])
        accounts.roles = KnownRoles()

        with pytest.raises(InvitationOutdated):
            invitations.accept(token, password=PASSWORD)
        with pytest.raises(InvitationOutdated):
            invitations.resend(row)

        accounts.roles = KnownRoles(["billing"])
        assert invitations.accept(token, password=PASSWORD).roles == ["billing", "user"]

    def test_new_schema(self, accounts, invite, invitations):
        """Metadata that a new schema rejects are not stored."""
        _, token = invite(app_metadata={"plan": "pro"})
        schema = {"properties": {"app_metadata": {"properties": {"plan": {"type": "integer"}}}}}
        accounts.metadata_rules = MetadataRules(metadata_schema.compile_schema(json.dumps(schema)))

        with pytest.raises(InvitationOutdated):
            invitations.accept(token, password=PASSWORD)

    def test_external_id_in_use(self, invite, invitations, register):
        """The ID of another user is not taken over."""
        _, token = invite(external_id="crm-1042")
        register("ada", external_id="crm-1042")

        with pytest.raises(InvitationOutdated):
            invitations.accept(token, password=PASSWORD)

        assert not [each for each in audited_users() if each.email == EMAIL]


class TestExpiry:
    @pytest.fixture
    def expired(self, invite):
        """Return an expired invitation and its token."""
        row, token = invite()
        past = now() - timedelta(seconds=1)
        row.update([Invitation.expires_at.set(past)])
        key = invitation_key(EMAIL)
        Identifier(value=key, owner=row.id, held_until=past - timedelta(seconds=1)).save()
        return row, token

    def test_void(self, expired, invitations):
        """Its token is void."""
        with pytest.raises(InvalidInvitation):
            invitations.accept(expired[1], password=PASSWORD)

        assert expired[0].status == "expired"

    def test_sent_again(self, expired, invitations, mailbox):
        """It can be sent again, and is pending from then on."""
        sent = invitations.resend(invitations.get(expired[0].id))

        assert sent.status == "pending"
        assert invitations.accept(mailbox[-1].token, password=PASSWORD).email == EMAIL

    def test_invited_again(self, expired, invite, invitations):
        """The address can be invited again; revoking the older one leaves the newer one alone."""
        row, token = invite()
        invitations.revoke(expired[0].id)

        with pytest.raises(InvitationNotFound):
            invitations.get(expired[0].id)
        assert invitations.find_by_email(EMAIL).id == row.id
        assert invitations.accept(token, password=PASSWORD).email == EMAIL


class TestSecrets:
    def test_only_a_digest_is_stored(self, invite):
        """Neither the item nor its text has the token."""
        row, token = invite()

        stored = [each.serialize() for each in Invitation.scan()]

        assert token not in repr((row, stored))
        assert token.removeprefix("roi_") not in repr(stored)

    @pytest.mark.parametrize("change", [lambda text: text[:-1], str.upper, lambda text: f"{text}A"])
    def test_changed_token(self, invite, invitations, change):
        """A token is compared to the letter."""
        _, token = invite()

        with pytest.raises(InvalidInvitation):
            invitations.accept(change(token), password=PASSWORD)
