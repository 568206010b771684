"""A lockout that the owner of the account gets out of (H5; ASVS 6.1.1, 6.3.1)."""

import time
from dataclasses import replace

import pytest

from models import EmailKind, User
from models.clock import now
from models.tables.device import MAX_DEVICES, Device
from models.tables.login_attempts import FREE_ATTEMPTS, LONGEST_WAIT, MAX_CONSECUTIVE_FAILURES
from tests.support.authenticator import Authenticator
from tests.support.person import NEW_PASSWORD, PASSWORD
from tests.support.responses import outcome

JANE = "jane@example.com"


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def sign_in(client):
    """Return a function that signs in: `sign_in("jane", device_token="rdv_...")`."""

    def post(login="jane", password=PASSWORD, **fields):
        body = {"login": login, "password": password, **fields}
        return client.post("/v1/sessions", json=body, headers={"X-Request-Id": "same"})

    return post


@pytest.fixture
def lock(sign_in):
    """Return a function that locks an account by failed attempts."""

    def guess(login="jane"):
        assert {sign_in(login, "wrong").status_code for _ in range(FREE_ATTEMPTS)} == {401}
        assert sign_in(login).status_code == 429

    return guess


@pytest.fixture
def request_reset(client, sent_emails):
    """Return a function that requests an email, and returns the tokens that were sent so far."""

    def post(email=JANE, **fields):
        answer = client.post("/v1/password-resets", json={"email": email, **fields})
        assert (answer.status_code, answer.data) == (202, b"")
        kind = EmailKind.RESET_PASSWORD
        return [email.token for email in sent_emails() if email.kind == kind]

    return post


@pytest.fixture
def reset(client):
    """Return a function that sets a new password with a token."""

    def post(token, **fields):
        body = {"token": token, "new_password": NEW_PASSWORD, **fields}
        return client.post("/v1/password-resets/confirm", json=body)

    return post


@pytest.fixture
def phone(jane, edit_row):
    """Give jane a verified address and a second factor; return its authenticator."""
    edit_row(jane, email_verified=True)
    secret = jane.post("/v1/users/me/second-factor").json["secret"]
    phone = Authenticator(secret, time.time)
    confirmed = jane.post("/v1/users/me/second-factor/confirm", json={"otp": phone.code()})
    assert confirmed.status_code == 200, confirmed.text
    return phone


def events_of(person):
    return [event["type"] for event in person.get("/v1/users/me/events").json["items"]]


class TestKnownDevice:
    def test_signs_in_during_a_lockout(self, jane, sign_in, lock):
        """Failed attempts of others do not lock out a device of an earlier sign-in."""
        device = sign_in().json["device_token"]
        lock()

        response = sign_in(device_token=device)

        assert response.status_code == 201
        assert response.json["device_token"] == device

    def test_others_stay_locked_out(self, jane, sign_in, lock):
        """A sign-in on a known device gives others no further attempts."""
        device = sign_in().json["device_token"]
        lock()
        sign_in(device_token=device)

        assert sign_in().status_code == 429

    def test_reauthenticates_during_a_lockout(self, jane, client, sign_in, lock):
        """Recent authentication is possible on a known device, too."""
        opened = sign_in().json
        lock()
        headers = {"Authorization": f"Bearer {opened['token']}"}
        body = {"password": PASSWORD}
        path = "/v1/sessions/current/reauthenticate"

        assert client.post(path, json=body, headers=headers).status_code == 429
        body["device_token"] = opened["device_token"]
        assert client.post(path, json=body, headers=headers).status_code == 201

    def test_has_a_limit_of_its_own(self, jane, sign_in):
        """A device is locked out by its own failed attempts, and locks out no other client."""
        device = sign_in().json["device_token"]
        failed = [sign_in(password="wrong", device_token=device) for _ in range(FREE_ATTEMPTS)]

        assert {response.status_code for response in failed} == {401}
        assert sign_in(device_token=device).status_code == 429
        assert sign_in().status_code == 201

    def test_success_resets_its_failures(self, jane, sign_in):
        """A device is not locked out by failed attempts from before a sign-in."""
        device = sign_in().json["device_token"]
        for _ in range(2):
            for _ in range(FREE_ATTEMPTS - 1):
                sign_in(password="wrong", device_token=device)
            assert sign_in(device_token=device).status_code == 201

    def test_has_no_power(self, jane, client, sign_in):
        """The token of a device is no token of a session, and needs the password (ASVS 6.3.4)."""
        device = sign_in().json["device_token"]

        bearer = client.get("/v1/users/me", headers={"Authorization": f"Bearer {device}"})
        assert outcome(bearer)[:2] == (401, "unauthenticated")
        assert outcome(sign_in(password="wrong", device_token=device))[1] == "invalid-credentials"

    def test_needs_the_second_factor(self, jane, phone, sign_in):
        """The token of a device does not replace the second factor."""
        device = sign_in(otp=phone.code(1)).json["device_token"]

        assert outcome(sign_in(device_token=device))[1] == "second-factor-required"

    def test_is_bound_to_the_account(self, jane, john, sign_in, lock):
        """The token of another user's device has no effect."""
        device = sign_in("john").json["device_token"]
        lock()

        assert sign_in(device_token=device).status_code == 429

    @pytest.mark.parametrize(
        "token", ["", "x", "rdv_", "rdv_none", "rdv_" + "A" * 54 + "a", "\u00e9" * 60, "rst_none"]
    )
    def test_unknown_is_ignored(self, jane, sign_in, token):
        """An unknown device token changes nothing about a sign-in; the response has a new one."""
        response = sign_in(device_token=token)

        assert response.status_code == 201
        assert response.json["device_token"] not in ("", token)

    @pytest.mark.parametrize("token", [None, 1, ["rdv_x"], {"a": 1}, "x" * 129, "a\0b"])
    def test_malformed(self, jane, sign_in, snapshot, token):
        """A device token is a text of at most 128 characters."""
        before = snapshot()

        assert outcome(sign_in(device_token=token)) == (422, "invalid-request", ["/device_token"])
        assert snapshot() == before

    def test_is_not_stored(self, jane, sign_in, snapshot, caplog):
        """ASVS 16.2.5: only a digest is stored, and nothing is logged."""
        device = sign_in().json["device_token"]
        sign_in(device_token=device)

        assert device[26:] not in str(snapshot()) + caplog.text

    def test_at_most_twenty(self, app, jane, sign_in, lock):
        """A user has 20 known devices: a new one replaces the oldest."""
        first = sign_in().json["device_token"]
        others = [sign_in().json["device_token"] for _ in range(MAX_DEVICES)]
        lock()

        with app.app_context():
            assert len(list(Device.query(jane.id))) == MAX_DEVICES
        assert sign_in(device_token=first).status_code == 429
        assert {sign_in(device_token=each).status_code for each in others} == {201}

    def test_expires(self, app, jane, sign_in, lock):
        """A device is known for 180 days without a sign-in."""
        device = sign_in().json["device_token"]
        with app.app_context():
            for row in Device.query(jane.id):
                row.update([Device.remove_at.set(now())])
        lock()

        assert sign_in(device_token=device).status_code == 429


class TestVoided:
    @pytest.fixture
    def device(self, jane, sign_in):
        return sign_in().json["device_token"]

    def test_by_signing_out_everywhere(self, jane, sign_in, lock, device):
        """Signing out everywhere voids the devices as well."""
        assert jane.delete("/v1/sessions").status_code == 204
        lock()

        assert sign_in(device_token=device).status_code == 429

    def test_by_a_reset(self, jane, sign_in, lock, device, request_reset, reset):
        """A reset voids the devices: a thief may have one."""
        [token] = request_reset()
        assert reset(token).status_code == 204
        lock()

        assert sign_in(password=NEW_PASSWORD, device_token=device).status_code == 429

    def test_by_a_suspension(self, jane, john, sign_in, lock, device):
        """A suspension voids the devices, also for the time after it."""
        for status in ("suspended", "active"):
            assert john.patch(jane.path, json={"status": status}).status_code == 200
        lock()

        assert sign_in(device_token=device).status_code == 429

    def test_not_by_a_new_password(self, jane, sign_in, lock, device):
        """A changed password ends other sessions; the devices stay known."""
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert jane.put("/v1/users/me/password", json=body).status_code == 204
        lock()

        assert sign_in(password=NEW_PASSWORD, device_token=device).status_code == 201

    def test_by_deletion(self, app, jane, device):
        """Nothing is left of the devices of a deleted user."""
        assert jane.delete("/v1/users/me").status_code == 204

        with app.app_context():
            assert list(Device.scan()) == []


class TestEnumeration:
    @pytest.mark.parametrize("login", ["jane", "unknown", "john"])
    def test_same_calls(self, jane, john, sign_in, database_calls, login):
        """ASVS 6.3.8: a device token of another account makes no login cost different calls."""
        device = sign_in("john").json["device_token"]
        other = device.replace(device[30:34], "AAAA")
        with database_calls() as calls:
            response = sign_in(login, "wrong", device_token=other)

        assert outcome(response) == (401, "invalid-credentials", [])
        assert calls == ["BatchGetItem", "UpdateItem", "PutItem"]

    @pytest.mark.parametrize("login", ["jane", "unknown"])
    def test_lockout_of_an_unknown_login(self, jane, sign_in, database_calls, login):
        """ASVS 6.3.8: the attempt that locks costs the same calls for an unknown login."""
        for _ in range(FREE_ATTEMPTS - 1):
            sign_in(login, "wrong")
        with database_calls() as calls:
            sign_in(login, "wrong")

        assert calls == ["GetItem", "UpdateItem", "TransactWriteItems"]


class TestResetSignsIn:
    def test_session(self, jane, client, lock, request_reset, reset):
        """A reset that signs in needs no race against the next lockout."""
        lock()
        [token] = request_reset()

        response = reset(token, sign_in=True)
        lock()

        assert response.status_code == 201
        assert set(response.json) == {"id", "token", "expires_at", "device_token", "user"}
        headers = {"Authorization": f"Bearer {response.json['token']}"}
        assert client.get("/v1/users/me", headers=headers).json["email_verified"] is True

    def test_device(self, jane, lock, sign_in, request_reset, reset):
        """The device of the reset is known from then on."""
        [token] = request_reset()
        device = reset(token, sign_in=True).json["device_token"]
        lock()

        assert sign_in(password=NEW_PASSWORD, device_token=device).status_code == 201

    def test_other_sessions_end(self, jane, request_reset, reset):
        """Of the sessions, only the new one is left."""
        [token] = request_reset()
        opened = reset(token, sign_in=True).json

        assert jane.get("/v1/users/me").status_code == 401
        listed = replace(jane, token=opened["token"]).get("/v1/sessions").json["items"]
        assert [row["id"] for row in listed] == [opened["id"]]
        assert listed[0]["amr"] == ["pwd"]

    def test_needs_the_second_factor(self, jane, phone, request_reset, reset):
        """ASVS 6.4.3: without a code nothing changes, and the token stays valid."""
        [token] = request_reset()
        missing = reset(token, sign_in=True)
        wrong = reset(token, sign_in=True, otp="000000")
        response = reset(token, sign_in=True, otp=phone.code(1))

        assert [outcome(each)[:2] for each in (missing, wrong)] == [
            (401, "second-factor-required")
        ] * 2
        assert response.status_code == 201
        person = replace(jane, token=response.json["token"])
        assert person.get("/v1/sessions").json["items"][0]["amr"] == ["pwd", "otp"]

    def test_codes_are_limited(self, jane, phone, request_reset, reset):
        """ASVS 6.6.3: the code cannot be guessed with a stolen mailbox."""
        [token] = request_reset()
        codes = [reset(token, sign_in=True, otp="000000") for _ in range(FREE_ATTEMPTS)]

        assert {response.status_code for response in codes} == {401}
        assert reset(token, sign_in=True, otp=phone.code(1)).status_code == 429
        assert reset(token).status_code == 204

    def test_lockout_does_not_matter(self, jane, phone, lock, request_reset, reset):
        """The codes of a reset are counted apart from the attempts of others."""
        lock()
        [token] = request_reset()

        assert reset(token, sign_in=True, otp=phone.code(1)).status_code == 201

    def test_code_works_once(self, jane, phone, sign_in, request_reset, reset):
        """ASVS 6.5.1: a code that has signed in does not work for the reset."""
        otp = phone.code(1)
        assert sign_in(otp=otp).status_code == 201
        [token] = request_reset()

        assert outcome(reset(token, sign_in=True, otp=otp))[1] == "second-factor-required"

    def test_without(self, jane, request_reset, reset):
        """Without `sign_in` a reset opens no session."""
        [token] = request_reset()
        response = reset(token, sign_in=False, otp="000000")

        assert (response.status_code, response.data) == (204, b"")

    def test_works_once(self, jane, request_reset, reset):
        """A token that has signed in is used."""
        [token] = request_reset()
        reset(token, sign_in=True)

        assert outcome(reset(token, sign_in=True)) == (422, "invalid-token", ["/token"])

    @pytest.mark.parametrize("value", ["true", 1, None, []])
    def test_malformed(self, jane, reset, value):
        """`sign_in` is true or false."""
        assert outcome(reset("x" * 60, sign_in=value)) == (422, "invalid-request", ["/sign_in"])


class TestResetEmails:
    def test_known_device_has_its_own_quota(self, jane, sign_in, request_reset):
        """Requests of others do not use up the emails of the owner."""
        device = sign_in().json["device_token"]
        for _ in range(5):
            request_reset()

        before, after = request_reset(), request_reset(device_token=device)

        assert len(after) == len(before) + 1

    def test_known_device_has_a_quota(self, jane, sign_in, request_reset):
        """A stolen device token does not flood the mailbox."""
        device = sign_in().json["device_token"]

        assert len([request_reset(device_token=device) for _ in range(4)][-1]) == 2

    def test_every_sent_token_works(self, jane, request_reset, reset):
        """The tokens in the mailbox are valid, also if others have used up the quota."""
        tokens = [request_reset() for _ in range(5)][-1]

        assert len(tokens) == 2
        assert reset(tokens[0]).status_code == 204

    def test_device_of_another_user(self, jane, john, sign_in, request_reset):
        """A device token of another account opens no further quota."""
        device = sign_in("john").json["device_token"]
        for _ in range(3):
            sent = request_reset()

        assert request_reset(device_token=device) == sent


class TestNotices:
    def test_of_a_lockout(self, jane, edit_row, sign_in, lock, sent_emails):
        """The user is notified once, however long the attack lasts."""
        edit_row(jane, email_verified=True)
        lock()
        for _ in range(5):
            sign_in(password="wrong")

        assert [email.kind for email in sent_emails()] == [EmailKind.ACCOUNT_LOCKED]

    def test_not_of_an_unknown_login(self, jane, lock, sent_emails):
        """An unknown login is locked without an email."""
        lock("unknown@example.com")

        assert sent_emails() == []

    def test_of_a_new_device(self, register, email_app, sign_in, sent_emails):
        """A sign-in on a further device is reported with its address, once a day."""
        with email_app.app_context():
            User.get(register("ada")).update([User.email_verified.set(True)])
        sign_in("ada", NEW_PASSWORD)
        assert sent_emails() == []
        for _ in range(3):
            sign_in("ada", NEW_PASSWORD)

        [notice] = sent_emails()
        assert (notice.kind, notice.to) == (EmailKind.NEW_DEVICE, "ada@example.com")
        assert "127.0.0.1" in notice.text

    def test_not_of_a_known_device(self, register, sign_in, sent_emails):
        """A sign-in on a known device is not reported."""
        register("ada")
        device = sign_in("ada", NEW_PASSWORD).json["device_token"]
        sign_in("ada", NEW_PASSWORD, device_token=device)

        assert sent_emails() == []


class TestEvents:
    def test_lockout(self, jane, sign_in, lock):
        """A lockout is an event, once."""
        lock()
        sign_in(password="wrong")

        assert events_of(jane).count("account.locked") == 1

    def test_signed_in_after_it(self, jane, sign_in, lock, edit_row):
        """A sign-in after the wait ends the lockout, which is an event."""
        lock()
        edit_row(jane, last_attempt_at=now() - LONGEST_WAIT)

        assert sign_in().status_code == 201
        assert events_of(jane)[:2] == ["account.unlocked", "session.opened"]

    def test_reset(self, jane, lock, request_reset, reset):
        """A reset ends it, which is an event."""
        lock()
        [token] = request_reset()
        person = replace(jane, token=reset(token, sign_in=True).json["token"])

        assert "account.unlocked" in events_of(person)

    def test_until_reset(self, jane, john, sign_in, edit_row):
        """The last of the allowed failures locks the account for a month: another event."""
        edit_row(
            jane,
            failed_attempts=MAX_CONSECUTIVE_FAILURES - 1,
            last_attempt_at=now() - LONGEST_WAIT,
        )
        sign_in(password="wrong")

        [event] = [
            event
            for event in jane.get("/v1/users/me/events").json["items"]
            if event["type"] == "account.locked"
        ]
        assert event["reason"] == "until-reset"

    def test_no_lockout(self, jane, sign_in):
        """A sign-in after a few failures ends no lockout."""
        for _ in range(FREE_ATTEMPTS - 1):
            sign_in(password="wrong")
        sign_in()

        assert "account.unlocked" not in events_of(jane)
