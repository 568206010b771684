"""The keys of access tokens: creation, rotation by the clock, revocation, planted rows."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from models import Background, SigningKeys, SigningKeyState, TokenAlgorithm, db
from models.errors import SigningKeyNotFound
from models.security.secret_keys import Sealer, SecretKeys
from models.security.token_signing import KeyPair, signed_with
from models.services.signing_key_ring import ADVANCE, MAX_TOKEN_LIFETIME, ROTATION
from models.services.signing_keys import REREAD
from models.tables.signing_key import ACCESS_TOKENS, SigningKey, seq_of
from tests.support.clock import Clock

SECRET = "only for tests"
# How long verifiers keep the keys.
MAX_AGE = timedelta(seconds=300)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(context: None, background: Background, clock: Clock) -> Callable[..., SigningKeys]:
    """Return a function that makes the service of another process on the same tables."""

    def make(
        *secrets: str, algorithm: TokenAlgorithm = TokenAlgorithm.ES256, own_clock: Clock = clock
    ) -> SigningKeys:
        return SigningKeys(secrets or (SECRET,), algorithm, background, clock=own_clock)

    return make


@pytest.fixture
def keys(process: Callable[..., SigningKeys]) -> SigningKeys:
    return process()


@pytest.fixture
def rotate(keys: SigningKeys, background: Background) -> Callable[[], None]:
    """Return a function that does what a request causes when the newest key is old."""

    def run() -> None:
        keys.signer()
        assert background.drain(10)

    return run


def rows() -> list[SigningKey]:
    return list(SigningKey.query(ACCESS_TOKENS))


def kids(keys: SigningKeys) -> list[str]:
    return [pair.kid for pair in keys.published()]


def states(keys: SigningKeys) -> list[SigningKeyState]:
    return [each.state for each in keys.status()]


class Verifier:
    """A service that keeps the published keys as long as it may."""

    def __init__(self, source: SigningKeys, clock: Clock) -> None:
        self.source, self.clock = source, clock
        self.read_at, self.copy = clock.time - MAX_AGE, {}

    def accepts(self, token: str) -> bool:
        if self.clock.time - self.read_at >= MAX_AGE:
            self.read_at = self.clock.time
            self.copy = {pair.kid: pair for pair in self.source.published()}
        pair = self.copy.get(signed_with(token))
        return pair is not None and pair.verify(token) is not None


def simulate(
    hosts: list[SigningKeys], verifiers: list[Verifier], clock: Clock, background: Background
) -> tuple[set[str], list[str]]:
    """Move the clock over two rotations while each host signs and each verifier verifies.

    Returns:
        The IDs of the keys that have signed, and the tokens that were rejected before their end.
    """
    signers, rejected = set(), []
    issued: list[tuple[datetime, str]] = []
    end = clock.time + 2 * (ROTATION + ADVANCE) + timedelta(days=1)
    while clock.time < end:
        distance = min([abs(row.signs_from - clock.time) for row in rows()], default=ADVANCE)
        # Small steps before and after a key begins to sign, until the old one has left.
        clock.time += timedelta(minutes=4) if distance < timedelta(hours=3) else ADVANCE / 8
        issued += [(clock.time, host.signer().sign({"sub": "jane"})) for host in hosts]
        assert background.drain(10)
        issued = [each for each in issued if clock.time - each[0] < MAX_TOKEN_LIFETIME]
        signers |= {str(signed_with(token)) for _, token in issued}
        rejected += [
            token
            for _, token in issued
            if not all(verifier.accepts(token) for verifier in verifiers)
        ]
    return signers, rejected


class TestFirst:
    def test_signs_at_once(self, keys):
        """The first key is created by its first use, signs at once and is published."""
        pair = keys.signer()

        token = pair.sign({"sub": "jane"})
        assert kids(keys) == [pair.kid] == [signed_with(token)]
        assert pair.verify(token) == {"sub": "jane"}

    def test_algorithms(self, process):
        """RS256 has 2048 bits; the ID is the same for every process (RFC 7638)."""
        pair = process(algorithm=TokenAlgorithm.RS256).signer()

        [published] = process(algorithm=TokenAlgorithm.RS256).published()
        assert published.public_jwk() == pair.public_jwk()
        assert len(pair.public_jwk()["n"]) == 342

    def test_race(self, process, run_concurrently):
        """Processes that need the first key at the same time agree on one."""
        made = run_concurrently(*(process().signer for _ in range(4)))

        assert len({pair.kid for pair in made}) == 1
        assert len(rows()) == 1

    def test_published_before_signing(self, keys, process):
        """A verifier that asks first gets the key that will sign."""
        assert kids(keys) == [process().signer().kid]

    def test_clock_behind(self, keys, process):
        """A host whose clock is behind signs with the first key of another host."""
        first = keys.signer()
        behind = Clock()
        behind.move(minutes=-5)

        assert process(own_clock=behind).signer() == first

    def test_private_key_is_sealed(self, keys):
        """The table has the private key sealed only, and no repr has it."""
        pair = keys.signer()
        [row] = rows()

        private = pair._key.as_dict(private=True)["d"]
        assert private not in str(row.serialize()) + repr(row) + repr(pair)


class TestRotation:
    def test_waits(self, keys, clock, rotate):
        """A new key is published 24 hours before it signs."""
        first = keys.signer()
        clock.move(days=89)
        rotate()
        new = [kid for kid in kids(keys) if kid != first.kid]
        clock.move(hours=23, minutes=59)
        before = keys.signer()
        clock.move(minutes=1)

        assert len(new) == 1
        assert before == first
        assert [keys.signer().kid] == new

    def test_not_early(self, keys, clock, rotate):
        """A younger key is not replaced."""
        keys.signer()
        clock.move(days=88, hours=23)
        rotate()

        assert len(rows()) == 1

    def test_race(self, process, clock, run_concurrently):
        """Of several processes that notice it at the same time, one creates a key."""
        hosts = [process() for _ in range(4)]
        [host.signer() for host in hosts]
        clock.move(days=89)
        run_concurrently(*(host._rotate_if_needed for host in hosts))

        assert [row.seq for row in rows()] == [seq_of(1), seq_of(2)]
        assert len({host.signer().kid for host in hosts}) == 1

    def test_leaves(self, keys, clock, rotate):
        """A key is published until an hour after its last token has expired, then removed."""
        first = keys.signer()
        clock.move(days=89)
        rotate()
        clock.time += ADVANCE + MAX_TOKEN_LIFETIME + timedelta(minutes=59)
        before = kids(keys)
        clock.move(minutes=1)
        after = kids(keys)
        clock.move(days=89)
        rotate()

        assert first.kid in before
        assert first.kid not in after
        assert keys.find(first.kid) is None
        assert [row.seq for row in rows()] == [seq_of(2), seq_of(3)]

    def test_no_token_is_rejected(self, process, clock, background):
        """Over two rotations, verifiers that keep the keys 300 seconds reject no token."""
        hosts = [process() for _ in range(3)]
        verifiers = [Verifier(host, clock) for host in hosts[:2]]
        signers, rejected = simulate(hosts, verifiers, clock, background)

        assert len(signers) == 3
        assert rejected == []

    def test_other_algorithm(self, keys, process, clock, background):
        """After a change of the algorithm, a key with the new one signs after 24 hours."""
        keys.signer()
        changed = process(algorithm=TokenAlgorithm.RS256)
        changed.signer()
        background.drain(10)
        clock.time += ADVANCE

        assert changed.signer().algorithm == TokenAlgorithm.RS256
        background.drain(10)
        assert len(rows()) == 2

    def test_command(self, keys, clock):
        """`rotate` creates one key, and none while one is waiting."""
        first, second = keys.rotate(), keys.rotate()

        assert first == second
        assert first.signs_from == clock.time + ADVANCE
        assert states(keys) == ["signing", "waiting"]


class TestRevocation:
    def test_signing(self, keys, process):
        """A revoked key is published no more, and another one signs at once."""
        revoked = keys.signer()
        keys.revoke(revoked.kid)

        new = keys.signer()
        assert new != revoked
        assert kids(keys) == [new.kid] == kids(process())
        assert states(keys) == ["revoked", "signing"]

    def test_other_process(self, keys, process, clock):
        """Other processes follow within a minute."""
        other = process()
        revoked = other.signer()
        keys.revoke(revoked.kid)
        clock.time += REREAD

        assert other.signer() == keys.signer() != revoked
        assert other.find(revoked.kid) is None

    def test_waiting(self, keys, clock):
        """A revoked key that has not begun does not end the key that signs."""
        first = keys.signer()
        keys.revoke(keys.rotate().kid)
        clock.time += ADVANCE + MAX_TOKEN_LIFETIME * 3

        assert keys.signer() == first
        assert states(keys) == ["signing", "revoked"]

    def test_waiting_then_rotation(self, keys, clock):
        """The tokens of a key remain valid after a rotation, although a waiting key was revoked."""
        first = keys.signer()
        keys.revoke(keys.rotate().kid)
        clock.move(days=3)
        new = keys.rotate()
        clock.time += ADVANCE

        assert keys.signer().kid == new.kid
        assert keys.find(first.kid) == first

    def test_repeated(self, keys):
        """Revoking again changes nothing."""
        kid = keys.signer().kid
        keys.revoke(kid)
        keys.revoke(kid)

        assert states(keys) == ["revoked", "signing"]

    def test_race(self, process, run_concurrently):
        """Of concurrent revocations one creates the next key."""
        hosts = [process() for _ in range(3)]
        kid = hosts[0].signer().kid
        outcomes = run_concurrently(*(lambda host=host: host.revoke(kid) for host in hosts))

        assert outcomes == [None] * 3
        assert states(hosts[0]) == ["revoked", "signing"]

    def test_unknown(self, keys):
        """An unknown ID is an error."""
        with pytest.raises(SigningKeyNotFound):
            keys.revoke("none")


class TestPlantedRows:
    """A writer of the table without the secret key cannot make a key count."""

    @pytest.fixture
    def planted(self, keys, clock):
        """Return a function that checks that a new row makes no difference."""
        genuine = keys.signer()

        def check() -> None:
            clock.time += REREAD
            assert keys.signer() == genuine
            assert kids(keys) == [genuine.kid]
            assert states(keys)[-1] == "unreadable"

        return check

    def row(self, pair: KeyPair, clock: Clock, seq: str = seq_of(2)) -> SigningKey:
        return SigningKey(
            ring=ACCESS_TOKENS,
            seq=seq,
            kid=pair.kid,
            alg=pair.algorithm,
            created_at=clock.time,
            signs_from=clock.time,
        )

    def test_other_secret(self, planted, clock):
        """A key that is sealed with another secret key."""
        pair = KeyPair.generate(TokenAlgorithm.ES256)
        row = self.row(pair, clock)
        row.sealed = Sealer(SecretKeys(["another"]), "signing keys").seal(pair.secret(), row.owner)

        row.save()

        planted()

    def test_other_use(self, planted, clock):
        """A key that is sealed for another use of the secret key."""
        pair = KeyPair.generate(TokenAlgorithm.ES256)
        row = self.row(pair, clock)
        row.sealed = Sealer(SecretKeys([SECRET]), "second factors").seal(pair.secret(), row.owner)

        row.save()

        planted()

    def test_plain(self, planted, clock):
        """A key that is not sealed."""
        pair = KeyPair.generate(TokenAlgorithm.ES256)
        row = self.row(pair, clock)
        row.sealed = pair.secret().decode()

        row.save()

        planted()

    def test_copied(self, planted, keys, clock):
        """The sealed key of another row, also one that was opened before."""
        row = self.row(keys.signer(), clock)
        row.sealed = rows()[0].sealed

        row.save()

        planted()

    def test_incomplete(self, planted):
        """A row without fields."""
        SigningKey(ACCESS_TOKENS, seq_of(2)).update([SigningKey.kid.set("none")])

        planted()

    @pytest.mark.parametrize(
        "value", [{"S": "today"}, {"N": "1e40"}, {"N": "-1e40"}, {"NULL": True}, {"L": []}]
    )
    def test_other_types(self, planted, value):
        """A row with values of other types, or out of bounds."""
        item = {"ring": {"S": ACCESS_TOKENS}, "seq": {"S": seq_of(2)}, "created_at": value}
        request = {"TableName": SigningKey.Meta.table_name, "Item": item | {"sealed": value}}
        db.connection.dispatch("PutItem", request)

        planted()

    def test_unknown_algorithm(self, planted, clock):
        """A key that a later version has sealed, for an algorithm that is unknown here."""
        row = self.row(KeyPair.generate(TokenAlgorithm.ES256), clock)
        sealer = Sealer(SecretKeys([SECRET]), "signing keys")
        row.sealed = sealer.seal(b'{"alg":"ML-DSA-65"}', row.owner)
        row.save()

        planted()

    def test_last_number(self, planted, clock, rotate):
        """A row with the last number does not stop rotations."""
        SigningKey(ACCESS_TOKENS, "9" * 10).update([SigningKey.kid.set("none")])
        planted()
        clock.move(days=89)
        rotate()

        assert [row.seq for row in rows()] == [seq_of(1), seq_of(2), "9" * 10]

    def test_new_date(self, keys, clock):
        """A retired key cannot be made to sign again by another date."""
        first = keys.signer()
        row = rows()[0]
        keys.revoke(first.kid)
        row.signs_from = clock.time + timedelta(days=1)
        row.save()
        clock.move(days=2)

        assert first.kid not in kids(keys)


class TestSecretKeys:
    def test_older(self, keys, process):
        """A key that an older secret key has sealed signs on."""
        old = keys.signer()

        assert process("a new one", SECRET).signer() == old

    def test_removed(self, keys, process, clock):
        """Without its secret key another key is created, and the old one is not published."""
        old = keys.signer()
        other = process("a new one")

        assert other.signer() != old
        assert kids(other) == [other.signer().kid]
        assert states(other) == ["unreadable", "signing"]


class TestMemory:
    def test_clock_set_back(self, keys, process, clock):
        """The keys are read again after the clock of the host was set back."""
        keys.signer()
        process().rotate()
        clock.move(hours=-2)

        assert len(kids(keys)) == 2

    def test_key_of_another_process(self, keys, process, clock):
        """A key that another process has just created is found, after seconds at the latest."""
        assert keys.find("unknown") is None
        pair = process().signer()
        clock.move(seconds=5)

        assert keys.find(pair.kid) == pair

    def test_read_again(self, keys, process, clock):
        """The keys are read once a minute."""
        keys.signer()
        process().rotate()
        before = kids(keys)
        clock.time += REREAD

        assert (len(before), len(kids(keys))) == (1, 2)
