"""Secret keys: a derived key for each use, and sealed values."""

import base64

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models import SecretKeys
from models.errors import UnreadableSecret
from models.security.secret_keys import Sealer, key_id_of

OLD, NEW = "the key of yesterday", "the key of today"
VALUE = b"12345678901234567890"
LABEL = "second factors"


def sealer(*keys: str, label: str = LABEL) -> Sealer:
    """Return a sealer for one use."""
    return Sealer(SecretKeys(keys), label)


class TestDerive:
    def test_hkdf(self):
        """ASVS 11.3.3, L1: a derived key is that of HKDF with SHA-256 and its label (RFC 5869)."""
        expected = HKDF(SHA256(), 32, salt=None, info=b"roster cursors").derive(OLD.encode())

        assert SecretKeys([OLD]).derive("cursors") == [expected]

    def test_each_use(self):
        """L1: two uses of one secret key have two keys, and none of them is the secret key."""
        cursors, logins = (SecretKeys([OLD]).derive(label)[0] for label in ("cursors", "logins"))

        assert cursors != logins
        assert OLD.encode() not in (cursors, logins)

    def test_order(self):
        """M3: the derived keys are in the order of the secret keys, the current one first."""
        assert SecretKeys([NEW, OLD]).derive("cursors") == [
            *SecretKeys([NEW]).derive("cursors"),
            *SecretKeys([OLD]).derive("cursors"),
        ]

    def test_id(self):
        """An ID is the same on every host, and is no part of a derived key."""
        [id] = SecretKeys([OLD]).ids

        assert SecretKeys([OLD]).ids == [id]
        assert SecretKeys([NEW]).ids != [id]
        assert id not in SecretKeys([OLD]).derive(LABEL)[0].hex()


class TestSeal:
    def test_form(self):
        """ASVS 11.2.2: a sealed value names its algorithm and its key, and not its content."""
        sealed = sealer(OLD).seal(VALUE, "ada")

        assert sealed.startswith(f"v1.{SecretKeys([OLD]).ids[0]}.")
        assert key_id_of(sealed) == SecretKeys([OLD]).ids[0]
        assert base64.urlsafe_b64encode(VALUE).decode()[:20] not in sealed

    def test_same_value_twice(self):
        """ASVS 11.3.4: each value is sealed with another nonce."""
        first, second = (sealer(OLD).seal(VALUE, "ada") for _ in "12")

        assert first.rpartition(".")[2][:16] != second.rpartition(".")[2][:16]

    @pytest.mark.parametrize("value", [b"", b"\x00", VALUE, bytes(range(256)) * 10])
    def test_open(self, value):
        """What was sealed is opened, of any length."""
        assert sealer(OLD).open(sealer(OLD).seal(value, "ada"), "ada") == value

    def test_older_key(self):
        """M3: the first key seals, and the others still open."""
        sealed = sealer(OLD).seal(VALUE, "ada")
        both = sealer(NEW, OLD)

        assert both.open(sealed, "ada") == VALUE
        assert key_id_of(both.seal(VALUE, "ada")) == SecretKeys([NEW]).ids[0]


class TestUnreadable:
    def test_key_is_gone(self):
        """M3: a value whose key is gone is an error that names the key, and no wrong value."""
        sealed = sealer(OLD).seal(VALUE, "ada")

        with pytest.raises(UnreadableSecret, match=SecretKeys([OLD]).ids[0]):
            sealer(NEW).open(sealed, "ada")

    def test_other_owner(self):
        """ASVS 11.3.3: a value that is copied to the row of another user cannot be opened."""
        sealed = sealer(OLD).seal(VALUE, "eve")

        with pytest.raises(UnreadableSecret):
            sealer(OLD).open(sealed, "ada")

    def test_other_use(self):
        """A value that is sealed for one use cannot be opened for another."""
        sealed = sealer(OLD).seal(VALUE, "ada")

        with pytest.raises(UnreadableSecret):
            sealer(OLD, label="another use").open(sealed, "ada")

    def test_every_change(self):
        """ASVS 11.3.3: a value in which any character has changed cannot be opened."""
        sealed = sealer(OLD).seal(VALUE, "ada")
        changed = [
            f"{sealed[:at]}{'A' if sealed[at] != 'A' else 'B'}{sealed[at + 1 :]}"
            for at in range(len(sealed))
        ]

        # The last character has bits that belong to no byte.
        for each in changed[:-1]:
            with pytest.raises(UnreadableSecret):
                sealer(OLD).open(each, "ada")

    @pytest.mark.parametrize(
        "stored",
        ["", "v1", "v1..", "v1.00000000.", "v2.00000000.AAAA", "null", "{}", "\x00", "v1.\ud800.A"],
    )
    def test_other_form(self, stored):
        """ASVS 16.5.3: whatever else is stored is an error of its own, and opens nothing."""
        with pytest.raises(UnreadableSecret):
            sealer(OLD).open(stored, "ada")

    @pytest.mark.parametrize("length", [1, 2, 3, 5, 16, 17, 40])
    def test_too_short(self, length):
        """A value that was cut off is unreadable, wherever it was cut."""
        sealed = sealer(OLD).seal(VALUE, "ada")

        with pytest.raises(UnreadableSecret):
            sealer(OLD).open(sealed[: len("v1.00000000.") + length], "ada")
