"""Clients: create, change, list, delete and authenticate programs that belong to no user."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask_pynamodb import Transaction
from models import field_rules
from models.clock import now
from models.errors import (
    AudienceTaken,
    ClientNotFound,
    ClientSecretNotFound,
    InvalidClient,
    InvalidField,
    TooManyConflicts,
    TooManySecrets,
    VersionMismatch,
    raise_together,
)
from models.security import tokens
from models.security.idempotency import IdempotentRequest
from models.services.idempotency import Execution, Idempotency
from models.services.user_update import Versions
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.identifier import Identifier, find_owner
from models.tables.oauth_client import (
    CLIENT_SECRET_PREFIX,
    MAX_SECRETS,
    ClientKind,
    ClientScope,
    ClientSecret,
    OAuthClient,
    find_client,
    list_clients,
)
from models.tables.user import is_user_id

_Result = TypeVar("_Result")
# How long a process may use a client as read. A disabled client is rejected everywhere after this
# time, a new secret is accepted at once.
CACHE_TIME = timedelta(seconds=30)
_MAX_CACHED = 1000
# Attempts to change a client that is being changed concurrently.
_MAX_ATTEMPTS = 10
_FIELDS = ("name", "scopes", "audience", "disabled")


class OAuthClients:
    """Operations on clients.

    Clients as read are kept in memory for `CACHE_TIME`, since every introspection needs one.

    Args:
        clock: Returns the time by which clients in memory expire.
        idempotency: Executes requests once.
    """

    def __init__(
        self, clock: Callable[[], datetime] = now, idempotency: Idempotency | None = None
    ) -> None:
        self._clock = clock
        self._idempotency = idempotency or Idempotency()
        self._cache: dict[str, tuple[datetime, OAuthClient]] = {}
        # The ID of the client that had an audience when it was last looked up.
        self._by_audience: dict[str, str] = {}

    def create(
        self,
        name: str,
        *,
        kind: ClientKind = ClientKind.SERVICE,
        scopes: Collection[ClientScope] = (),
        audience: str | None = None,
        by: Actor = ANONYMOUS,
        request: IdempotentRequest | None = None,
    ) -> tuple[OAuthClient, str]:
        """Create a client with one secret.

        Args:
            name: A name for people.
            kind: What kind of program it is.
            scopes: What it may do.
            audience: The URI that tokens for this client name.
            by: The caller.
            request: The request, if its client may send it again.

        Returns:
            The client and its secret, which is not stored; those of an earlier execution of the
            request if there was one.

        Raises:
            InvalidField: The name, a scope or the audience is not valid.
            AudienceTaken: Another client has this audience.
            IdempotencyKeyReused: The key of the request belongs to one with another body.
            IdempotencyKeyUsed: The client that the request created has changed since.
        """
        _validate({"name": name, "scopes": scopes, "audience": audience})

        def create(execution: Execution) -> tuple[OAuthClient, str]:
            client = OAuthClient.new(name, kind, scopes, audience)
            text = execution.make_token(CLIENT_SECRET_PREFIX, client.id)
            client.secrets = [ClientSecret.of(text)]
            with by.transaction() as transaction:
                execution.record(transaction, client.id)
                transaction.save(client)
                if audience is not None:
                    _reserve(transaction, audience, client)
                transaction.save(AuditEvent.create(EventType.CLIENT_CREATED, client.id, by))
            return client, text

        created = self._idempotency.run(
            request, by, create, _client_as_created, conflicts=(AudienceTaken,)
        )
        if audience is not None:
            self._by_audience.pop(audience, None)
        return created

    def get(self, id: str) -> OAuthClient:
        """Return the client with this ID, strongly consistent.

        Raises:
            ClientNotFound: There is no client with this ID.
        """
        found = find_client(id) if is_user_id(id) else None
        if found is None:
            raise ClientNotFound
        return found

    def newest_first(
        self, *, after: str | None = None, limit: int = 25
    ) -> tuple[list[OAuthClient], str | None]:
        """Return a page of clients, and the ID to continue after; eventually consistent."""
        return list_clients(after, limit)

    def update(
        self,
        id: str,
        changes: Mapping[str, Any],
        *,
        versions: Versions = None,
        by: Actor = ANONYMOUS,
    ) -> OAuthClient:
        """Change the name, scopes or audience of a client, disable or enable it.

        A disabled client is rejected by every process after `CACHE_TIME`.

        Args:
            id: The ID of the client.
            changes: New values of `name`, `scopes`, `audience` and `disabled`.
            versions: Reject the change unless the client is at one of these versions.
            by: The caller.

        Raises:
            InvalidField: The name, a scope or the audience is not valid.
            ClientNotFound: There is no client with this ID.
            AudienceTaken: Another client has this audience.
            VersionMismatch: The client is at a version that the caller does not accept.
            TooManyConflicts: Concurrent changes kept winning.
        """
        _validate(changes)
        wanted = dict(changes)
        if "scopes" in wanted:
            wanted["scopes"] = sorted(set(wanted["scopes"]))

        def apply(client: OAuthClient) -> OAuthClient:
            changed = [name for name in _FIELDS if name in wanted
                       and getattr(client, name) != wanted[name]]  # fmt: skip
            if not changed:
                return client
            event = AuditEvent.create(
                _type_of_update(wanted, changed), client.id, by, changed_fields=tuple(changed)
            )
            with by.transaction() as transaction:
                if "audience" in changed:
                    _move_audience(transaction, client, wanted["audience"])
                for name in changed:
                    setattr(client, name, wanted[name])
                _save(transaction, client)
                transaction.save(event)
            return client

        return self._change(id, versions, apply)

    def add_secret(
        self, id: str, *, by: Actor = ANONYMOUS, request: IdempotentRequest | None = None
    ) -> tuple[ClientSecret, str]:
        """Add a secret to a client, so that another one can be replaced without a gap.

        Args:
            id: The ID of the client.
            by: The caller.
            request: The request, if its client may send it again.

        Returns:
            The secret, and its text, which is not stored; those of an earlier execution of the
            request if there was one.

        Raises:
            ClientNotFound: There is no client with this ID.
            TooManySecrets: The client has two secrets already.
            TooManyConflicts: Concurrent changes kept winning.
            IdempotencyKeyReused: The key of the request belongs to one with another body.
            IdempotencyKeyUsed: The secret that the request created was revoked since.
        """

        def apply(client: OAuthClient, execution: Execution) -> tuple[ClientSecret, str]:
            if len(client.secrets) >= MAX_SECRETS:
                raise TooManySecrets
            text = execution.make_token(CLIENT_SECRET_PREFIX, client.id)
            secret = ClientSecret.of(text)
            client.secrets = [*client.secrets, secret]
            with by.transaction() as transaction:
                execution.record(transaction, secret.id)
                _save(transaction, client)
                transaction.save(AuditEvent.create(EventType.CLIENT_SECRET_CREATED, client.id, by))
            return secret, text

        def create(execution: Execution) -> tuple[ClientSecret, str]:
            return self._change(id, None, lambda client: apply(client, execution))

        def show(execution: Execution, _: str) -> tuple[ClientSecret, str] | None:
            return _secret_as_created(execution, self.get(id))

        return self._idempotency.run(request, by, create, show, conflicts=(TooManySecrets,))

    def revoke_secret(self, id: str, secret_id: str, *, by: Actor = ANONYMOUS) -> None:
        """Revoke a secret; every process rejects it after `CACHE_TIME`.

        Raises:
            ClientNotFound: There is no client with this ID.
            ClientSecretNotFound: The client has no secret with this ID.
            TooManyConflicts: Concurrent changes kept winning.
        """

        def apply(client: OAuthClient) -> None:
            kept = [each for each in client.secrets if each.id != secret_id]
            if len(kept) == len(client.secrets):
                raise ClientSecretNotFound
            client.secrets = kept
            with by.transaction() as transaction:
                _save(transaction, client)
                transaction.save(AuditEvent.create(EventType.CLIENT_SECRET_REVOKED, client.id, by))

        self._change(id, None, apply)

    def delete(self, id: str, *, versions: Versions = None, by: Actor = ANONYMOUS) -> None:
        """Delete a client; every process rejects its secrets after `CACHE_TIME`.

        Raises:
            ClientNotFound: There is no client with this ID.
            VersionMismatch: The client is at a version that the caller does not accept.
            TooManyConflicts: Concurrent changes kept winning.
        """

        def apply(client: OAuthClient) -> None:
            with by.transaction() as transaction:
                if client.audience is not None:
                    _release(transaction, client.audience, client)
                transaction.delete(client, _is_at(client.version), otherwise=VersionMismatch())
                transaction.save(AuditEvent.create(EventType.CLIENT_DELETED, client.id, by))

        self._change(id, versions, apply)

    def authenticate(self, secret: str, *, client_id: str | None = None) -> OAuthClient:
        """Return the client of a secret.

        Args:
            secret: The secret that the caller presented.
            client_id: The ID that the caller presented, None if it sent the secret only.

        Raises:
            InvalidClient: No client that is not disabled has this secret, or it has another ID.
        """
        id = tokens.user_id_of(CLIENT_SECRET_PREFIX, secret)
        if id is None or client_id not in (None, id):
            raise InvalidClient
        digest = tokens.digest(secret)
        client = self._cached(id)
        # A rejection is never cached: a new secret counts at once.
        if client is None or not client.accepts(digest):
            client = self._read(id)
            if client is None or not client.accepts(digest):
                raise InvalidClient
            client.touch(digest)
        return client

    def find_enabled(self, id: str) -> OAuthClient | None:
        """Return the client with this ID, None if there is none or it is disabled.

        A client that was disabled is found for `CACHE_TIME` after it was read.
        """
        client = self._cached(id)
        if client is None or client.disabled:
            client = self._read(id)
        return client if client and not client.disabled else None

    def forget(self) -> None:
        """Read each client again at its next use."""
        self._cache.clear()
        self._by_audience.clear()

    def find_by_audience(self, audience: str) -> OAuthClient | None:
        """Return the client that has an audience, None if there is none or it is disabled.

        Args:
            audience: The URI, which is compared to the letter.
        """
        known = self._by_audience.get(audience)
        client = self._cached(known) if known else None
        if client is None or client.disabled or client.audience != audience:
            # A rejection is never cached: a new audience counts at once.
            client = self._read_by_audience(audience)
        return client if client and not client.disabled else None

    def _read_by_audience(self, audience: str) -> OAuthClient | None:
        if not field_rules.AUDIENCE.matches(audience):
            return None
        owner = find_owner(audience_key(audience))
        client = self._read(owner) if owner else None
        if client is None or client.audience != audience:
            return None
        self._by_audience[audience] = client.id
        return client

    def _cached(self, id: str) -> OAuthClient | None:
        read_at, client = self._cache.get(id, (None, None))
        return client if read_at and self._clock() - read_at < CACHE_TIME else None

    def _read(self, id: str) -> OAuthClient | None:
        client = find_client(id)
        if len(self._cache) >= _MAX_CACHED:
            self.forget()
        if client is not None:
            self._cache[id] = self._clock(), client
        else:
            self._cache.pop(id, None)
        return client

    def _change(
        self, id: str, versions: Versions, apply: Callable[[OAuthClient], _Result]
    ) -> _Result:
        """Apply a change to a client; after each conflict read the client again and retry."""
        for _ in range(_MAX_ATTEMPTS):
            client = self.get(id)
            if versions is not None and client.version not in versions:
                raise VersionMismatch("client")
            try:
                return apply(client)
            except VersionMismatch:
                continue
            finally:
                self._cache.pop(id, None)
        raise TooManyConflicts


def _client_as_created(execution: Execution, id: str) -> tuple[OAuthClient, str] | None:
    """Return a client as it was when it was created, and its secret; None if it has changed."""
    client = find_client(id)
    created = _secret_as_created(execution, client) if client and client.version == 1 else None
    if client is None or created is None:
        return None
    secret, text = created
    client.secrets = [secret]
    return client, text


def _secret_as_created(
    execution: Execution, client: OAuthClient
) -> tuple[ClientSecret, str] | None:
    """Return a secret as it was when it was created, and its text; None if it was revoked."""
    text = execution.make_token(CLIENT_SECRET_PREFIX, client.id)
    secret = client.find_secret(text)
    # The last use is shown, but no change of the secret.
    return (replace(secret, last_used_at=None), text) if secret else None


def _save(transaction: Transaction, client: OAuthClient) -> None:
    """Write a changed client under the condition that it is at the version that was read."""
    condition = _is_at(client.version)
    client.version += 1
    client.updated_at = now()
    transaction.save(client, condition, otherwise=VersionMismatch())


def _is_at(version: float) -> Any:
    return OAuthClient.version == version


def _reserve(transaction: Transaction, audience: str, client: OAuthClient) -> None:
    Identifier.reserve(transaction, audience_key(audience), client.id, otherwise=AudienceTaken())


def _release(transaction: Transaction, audience: str, client: OAuthClient) -> None:
    Identifier.release(transaction, audience_key(audience), client.id, otherwise=VersionMismatch())


def _move_audience(transaction: Transaction, client: OAuthClient, audience: str | None) -> None:
    if client.audience is not None:
        _release(transaction, client.audience, client)
    if audience is not None:
        _reserve(transaction, audience, client)


def audience_key(audience: str) -> str:
    """Return the key under which an audience is reserved; it is compared to the letter."""
    return f"audience#{audience}"


def _type_of_update(wanted: Mapping[str, Any], changed: Collection[str]) -> EventType:
    if "disabled" not in changed:
        return EventType.CLIENT_UPDATED
    return EventType.CLIENT_DISABLED if wanted["disabled"] else EventType.CLIENT_ENABLED


def _validate(values: Mapping[str, Any]) -> None:
    faults = []
    if "name" in values and not field_rules.CLIENT_NAME.matches(values["name"]):
        faults.append(InvalidField("name", field_rules.CLIENT_NAME.requirement))
    if unknown := sorted(set(values.get("scopes", ())) - set(ClientScope)):
        known = ", ".join(ClientScope)
        faults.append(
            InvalidField("scopes", f"Unknown: {', '.join(unknown)}. The scopes are {known}.")
        )
    audience = values.get("audience")
    if audience is not None and not field_rules.AUDIENCE.matches(audience):
        faults.append(InvalidField("audience", field_rules.AUDIENCE.requirement))
    raise_together(faults)
