"""Private key sets of operators: which keys sign, and which files are rejected."""

import json
import warnings
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from models import InvalidKeySet, KeyPair, TokenAlgorithm, parse_private_keys

RSA = RSAKey.generate_key(2048).as_dict(private=True)
OTHER_RSA = RSAKey.generate_key(2048).as_dict(private=True)
EC = ECKey.generate_key("P-256").as_dict(private=True)
OTHER_EC = ECKey.generate_key("P-256").as_dict(private=True)
PUBLIC = RSAKey.import_key(RSA).as_dict(private=False)
P_384 = ECKey.generate_key("P-384").as_dict(private=True)
with warnings.catch_warnings(action="ignore"):
    SHORT_RSA = RSAKey.generate_key(1024).as_dict(private=True)


def parse(*keys: Any) -> tuple[KeyPair, ...]:
    return parse_private_keys(json.dumps({"keys": keys}))


class TestAccepted:
    @pytest.mark.parametrize(
        "key, algorithm",
        [
            (RSA, "RS256"),
            (EC, "ES256"),
            (
                {**RSA, "alg": "RS256", "use": "sig", "x5c": ["ignored"]},
                "RS256",
            ),
            ({name: RSA[name] for name in ("kty", "n", "e", "d")}, "RS256"),
        ],
    )
    def test_signs(self, key, algorithm):
        """A private key signs with the algorithm of its kind, and its public part verifies."""
        [pair] = parse(key)
        token = pair.sign({"sub": "jane"})

        assert pair.algorithm == algorithm
        assert pair.kid == pair.thumbprint
        assert pair.verify(token) == {"sub": "jane"}
        assert pair.public_jwk().keys().isdisjoint({"d", "p", "q", "dp", "dq", "qi", "x5c"})

    def test_id(self):
        """The ID of a key is the one in the file, also in tokens and in the published keys."""
        [pair] = parse({**EC, "kid": "2027-01"})

        assert (pair.kid, pair.public_jwk()["kid"]) == ("2027-01", "2027-01")
        assert pair.verify(pair.sign({"sub": "jane"})) == {"sub": "jane"}

    def test_longest_id(self):
        """Tokens with the longest ID are verified."""
        [pair] = parse({**EC, "kid": "x" * 100})

        assert pair.verify(pair.sign({"sub": "jane"})) == {"sub": "jane"}

    def test_order(self):
        """The keys keep their order, whatever their kind."""
        pairs = parse(EC, RSA, OTHER_EC)

        assert [pair.algorithm for pair in pairs] == ["ES256", "RS256", "ES256"]

    def test_same_id_as_generated(self):
        """A key that this service has made has the same ID when it is read again."""
        pair = KeyPair.generate(TokenAlgorithm.ES256)

        assert [each.kid for each in parse(json.loads(pair.secret()))] == [pair.kid]


class TestRejected:
    @pytest.mark.parametrize(
        "key, reason",
        [
            (PUBLIC, "key 1 is a public key"),
            (P_384, "key 1 is on another curve than P-256"),
            (SHORT_RSA, "key 1 has 1024 bits instead of 2048 to 4096"),
            (OctKey.generate_key(256).as_dict(private=True), "key 1 is neither an RSA nor an EC"),
            (OKPKey.generate_key("Ed25519").as_dict(private=True), "key 1 is neither an RSA nor"),
            ({"kty": ["RSA"], "d": "x"}, "key 1 is neither an RSA nor an EC"),
            ({}, "key 1 is neither an RSA nor an EC"),
            ({**RSA, "alg": "RS512"}, "key 1 has another algorithm than RS256"),
            ({**EC, "alg": "none"}, "key 1 has another algorithm than ES256"),
            ({**RSA, "use": "enc"}, "key 1 is not for signatures"),
            ({**RSA, "n": OTHER_RSA["n"]}, "key 1 is damaged"),
            ({**RSA, "d": OTHER_RSA["d"]}, "key 1 is damaged"),
            ({**RSA, "dp": OTHER_RSA["dp"]}, "key 1 is damaged"),
            ({**RSA, "n": "A" * 100_000}, "key 1 is damaged"),
            ({**RSA, "p": None}, "key 1 is damaged"),
            ({**RSA, "n": ["x"]}, "key 1 is damaged"),
            ({**EC, "d": OTHER_EC["d"]}, "key 1 is damaged"),
            ({**EC, "x": OTHER_EC["x"]}, "key 1 is damaged"),
            ({**EC, "d": ""}, "key 1 is damaged"),
            ({**EC, "d": "ü"}, "key 1 is damaged"),
            ({**EC, "crv": ["P-256"]}, "key 1 is damaged"),
            ({**EC, "crv": "P-999"}, "key 1 is damaged"),
            ({name: EC[name] for name in ("kty", "crv", "y", "d")}, "key 1 is damaged"),
            *(({**EC, "kid": kid}, "the `kid` of key 1") for kid in ("", "x" * 101, 'a"b', "ü", 7)),
        ],
    )
    def test_key(self, key, reason):
        """A key that cannot sign is rejected by its number, and no part of it is shown."""
        with pytest.raises(InvalidKeySet) as error:
            parse(key)

        assert str(error.value).startswith(reason)
        assert RSA["d"] not in str(error.value) + repr(error.value)
        assert error.value.__cause__ is None

    def test_second_key(self):
        """Not only the first key is checked."""
        with pytest.raises(InvalidKeySet, match="key 2 is a public key"):
            parse(EC, PUBLIC)

    @pytest.mark.parametrize(
        "keys, reason",
        [
            ([{**EC, "kid": "a"}, {**RSA, "kid": "a"}], "key 2 has the `kid` of key 1"),
            ([EC, RSA, {**EC, "kid": "b"}], "key 3 is the same as key 1"),
            ([], "it has 0 keys"),
            ([EC] * 11, "it has 11 keys"),
        ],
    )
    def test_set(self, keys, reason):
        """Each key has an ID of its own, and there are 1 to 10 of them."""
        with pytest.raises(InvalidKeySet, match=reason):
            parse(*keys)

    @pytest.mark.parametrize(
        "text",
        ["", "x", "[]", "null", "{}", '{"keys": {}}', '{"keys": ["x"]}', "[" * 5000, b"\xff"],
    )
    def test_text(self, text):
        """A text that is no JWKS is rejected."""
        with pytest.raises(InvalidKeySet, match="it is no"):
            parse_private_keys(text)
