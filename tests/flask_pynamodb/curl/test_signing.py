"""Signatures equal botocore's for generated requests."""

import string
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_pynamodb.curl.signing import Signer, canonical_path, canonical_query, timestamp

PRINTABLE = st.text(string.ascii_letters + string.digits + "/+=- ,;:", min_size=1).filter(str.strip)
NAMES = st.text(string.ascii_lowercase + "-", min_size=1).map(lambda name: f"x-{name}")
HEADERS = st.dictionaries(NAMES.filter(lambda name: name[:6] != "x-amz-"), PRINTABLE)
PATHS = st.text(string.ascii_letters + string.digits + "/.~-_ %äλ").map(lambda path: f"/{path}")
QUERIES = st.dictionaries(
    st.text(string.ascii_letters, min_size=1), st.text(string.digits, min_size=1)
).map(lambda query: "&".join(f"{name}={value}" for name, value in query.items()))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))
TOKENS = st.none() | st.text(string.ascii_letters + string.digits + "/+=", min_size=1)


def sign_by_botocore(request: AWSRequest, credentials: Credentials, region: str) -> str:
    """The Authorization header for a request that carries its date and its token already."""
    auth = SigV4Auth(credentials, "dynamodb", region)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    return str(auth._inject_signature_to_request(request, signature).headers["Authorization"])


class TestSignature:
    @settings(max_examples=400, deadline=None)
    @given(
        body=st.binary(),
        secret=PRINTABLE,
        token=TOKENS,
        extra=HEADERS,
        path=PATHS,
        query=QUERIES,
        region=st.sampled_from(["us-east-1", "eu-isoe-west-1", "local"]),
        moment=MOMENTS,
    )
    def test_is_the_one_botocore_makes(
        self,
        body: bytes,
        secret: str,
        token: str | None,
        extra: dict[str, str],
        path: str,
        query: str,
        region: str,
        moment: datetime,
    ) -> None:
        """Whatever is in body, headers, path, query, credentials and clock."""
        credentials = Credentials("AKID", secret, token)
        stamp = timestamp(moment.replace(tzinfo=UTC).timestamp())
        tokens = {"x-amz-security-token": token} if token else {}
        headers = {"host": "db.example:8000", "x-amz-date": stamp, **tokens, **extra}
        url = f"https://db.example:8000{path}?{query}"
        request = AWSRequest("POST", url, headers, data=body)
        request.context["timestamp"] = stamp
        ours = Signer(region, "dynamodb").prepare(
            credentials, stamp, (canonical_path(path), canonical_query(query)), headers
        )

        assert ours.authorization(body) == sign_by_botocore(request, credentials, region)

    def test_a_new_day_has_a_new_key(self) -> None:
        """The key that is kept serves its day and its secret only."""
        first, second = Credentials("AKID", "secret"), Credentials("AKID", "another secret")
        signer, url, headers = Signer("us-east-1", "dynamodb"), ("/", ""), {"host": "db.example"}
        today, tomorrow = "20261120T235959Z", "20261121T000000Z"
        kept = [
            signer.prepare(credentials, moment, url, headers).authorization(b"{}")
            for credentials, moment in ((first, today), (first, tomorrow), (second, tomorrow))
        ]
        fresh = [
            Signer("us-east-1", "dynamodb")
            .prepare(credentials, moment, url, headers)
            .authorization(b"{}")
            for credentials, moment in ((first, today), (first, tomorrow), (second, tomorrow))
        ]

        assert kept == fresh
        assert len(set(kept)) == 3


class TestTimestamp:
    def test_is_in_universal_time(self) -> None:
        """Whatever the time zone of the process."""
        assert timestamp(1_440_938_160) == "20150830T123600Z"


class TestCanonicalQuery:
    @pytest.mark.parametrize(
        ("query", "canonical"),
        [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("flag&a=", "a=&flag="),
            ("a=x/y z", "a=x%2Fy%20z"),
            ("a=x%2Fy", "a=x%2Fy"),
        ],
    )
    def test_is_sorted_and_quoted_once(self, query: str, canonical: str) -> None:
        """Parts are in order, and what was quoted already stays as it is."""
        assert canonical_query(query) == canonical
