"""Values of the right type that break a rule, metadata, and malformed ids."""

import pytest

from tests.support.bodies import GOOD
from tests.support.responses import ADA, outcome

NO_IDS = [
    "..",
    "..%2F..%2Fusers",
    "%2E%2E",
    "%00",
    "%0A",
    "%FF",
    "%20",
    "a" * 5000,
    "ME",
    "me%20",
    "null",
    "0",
    "-1",
    "*",
    "é",
    "%D9%A1",
    "01a1fb1b68767644993500000000000a",
    "{01a1fb1b-6876-7644-9935-000000000000}",
    "urn:uuid:01a1fb1b-6876-7644-9935-000000000000",
    "01A1FB1B-6876-7644-9935-000000000000",
    "01a1fb1b-6876-7644-9935-000000000000%0A",
    "01a1fb1b-6876-7644-9935-00000000000g",
]
CONTROLS = ["\x01", "\x07", "\t", "\n", "\r", "\x1b[31m", "\x7f", "\x85", "\x9f"]


class TestFullName:
    @pytest.mark.parametrize("control", CONTROLS)
    @pytest.mark.parametrize("form", ["{}Jane", "Ja{}ne", "Jane{}"])
    def test_control_characters(self, jane, snapshot, form, control):
        """A name with line breaks or terminal sequences is rejected (ASVS 16.4.1)."""
        before = snapshot()

        response = jane.patch("/v1/users/me", json={"full_name": form.format(control)})

        assert outcome(response) == (422, "invalid-request", ["/full_name"])
        assert snapshot() == before

    @pytest.mark.parametrize("name", ["", "x" * 200, "😀" * 200, "O'Neill <b>", "محمد", "${x}"])
    def test_any_other_name(self, jane, name):
        """A name of up to 200 characters of any script is accepted and kept unchanged."""
        response = jane.patch("/v1/users/me", json={"full_name": name})

        assert response.status_code == 200
        assert jane.get("/v1/users/me").json["full_name"] == name

    def test_too_long(self, jane):
        """A name of 201 characters is rejected."""
        response = jane.patch("/v1/users/me", json={"full_name": "x" * 201})

        assert outcome(response) == (422, "invalid-request", ["/full_name"])


class TestEmail:
    @pytest.mark.parametrize(
        "email",
        [
            "a@" + "a." * 25_000,
            "a@" + "a" * 50_000,
            "a" * 50_000,
            "@" * 50_000,
            "-@" + "-" * 50_000 + ".com",
            "a" * 64 + "@" + "a." * 92 + "!",
            "a" * 243 + "@example.com",
        ],
        ids=lambda email: f"{email[:5]} {len(email)}",
    )
    @pytest.mark.parametrize("method, path", [("POST", "/v1/users"), ("PATCH", "/v1/users/me")])
    def test_near_misses(self, jane, snapshot, method, path, email):
        """Long near misses are rejected by their length first (CVE-2021-32838)."""
        before = snapshot()

        response = jane.request(method, path, json={**GOOD[path], "email": email})

        assert "/email" in outcome(response)[2]
        assert snapshot() == before

    @pytest.mark.parametrize(
        "email",
        [
            "ada@example.com\r\nBcc: eve@example.com",
            "ada\x07@example.com",
            "<ada@example.com>",
            "Ada <ada@example.com>",
            '"ada"@example.com',
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@example.com, eve@example.com",
            "ada@example.com;eve@example.com",
            "ada @example.com",
            "ada@exa\u200bmple.com",
            "a\u202eda@example.com",
            "ada@example..com",
            ".ada@example.com",
            "ada..ada@example.com",
        ],
    )
    def test_not_a_plain_address(self, client, snapshot, email):
        """Only a plain address is accepted, without display name, comments or control codes."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "email": email})

        assert outcome(response) == (422, "invalid-request", ["/email"])
        assert snapshot() == before


class TestMetadata:
    @pytest.mark.parametrize("value", [[], "text", 1, True, [{}]])
    @pytest.mark.parametrize("method, path", [("POST", "/v1/users"), ("PATCH", "/v1/users/me")])
    def test_not_an_object(self, jane, method, path, value):
        """Metadata that are not an object are rejected."""
        response = jane.request(method, path, json={**GOOD[path], "metadata": value})

        assert outcome(response) == (422, "invalid-request", ["/metadata"])

    @pytest.mark.parametrize("metadata", [{"a": "x" * 4088}, {"é": "é" * 2043}])
    def test_largest_size(self, client, metadata):
        """4,096 bytes of UTF-8 without spaces are accepted."""
        response = client.post("/v1/users", json={**ADA, "metadata": metadata})

        assert response.status_code == 201
        assert response.json["metadata"] == metadata

    @pytest.mark.parametrize("metadata", [{"a": "x" * 4089}, {"é": "é" * 2044}, {"x" * 5000: 1}])
    def test_too_large(self, client, snapshot, metadata):
        """4,097 bytes are rejected, whatever they consist of."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "metadata": metadata})

        assert outcome(response) == (422, "invalid-request", ["/metadata"])
        assert snapshot() == before

    @pytest.mark.parametrize("opening, closing", [('{"a":', "}"), ("[", "]")])
    @pytest.mark.parametrize("depth", [100, 900])
    def test_deep(self, jane, snapshot, depth, opening, closing):
        """Metadata that are nested too deeply are rejected without recursion."""
        before = snapshot()
        data = '{"metadata": {"a": ' + opening * depth + "1" + closing * depth + "}}"

        response = jane.patch("/v1/users/me", data=data, content_type="application/json")

        assert outcome(response)[:2] == (422, "invalid-request")
        assert response.json["errors"][0]["pointer"].startswith("/metadata/a")
        assert snapshot() == before

    @pytest.mark.parametrize("metadata", [{"\ud800": 1}, {"a": ["\ud800"]}, {"a": {"b": "\x00"}}])
    def test_unprintable_text(self, jane, snapshot, metadata):
        """Unpaired surrogates and NULs are rejected at any depth, in names and values."""
        before = snapshot()

        response = jane.patch("/v1/users/me", json={"metadata": metadata})

        assert outcome(response)[:2] == (422, "invalid-request")
        assert snapshot() == before

    @pytest.mark.parametrize(
        "number", ["9007199254740993", "-9223372036854775808", "18446744073709551615", "-0.0"]
    )
    def test_numbers_are_kept(self, jane, number):
        """A number is returned as it was sent."""
        data = f'{{"metadata": {{"n": {number}}}}}'

        response = jane.patch("/v1/users/me", data=data, content_type="application/json")

        assert response.status_code == 200
        assert f'"n":{number}' in response.text

    @pytest.mark.parametrize(
        "number",
        [2**64, -(2**63) - 1, 10**30, 10**4000],
        ids=["2^64", "-2^63 - 1", "10^30", "10^4000"],
    )
    def test_too_large_numbers(self, john, jane, number):
        """A number that cannot be returned is rejected, since its user would be unreadable."""
        response = jane.patch("/v1/users/me", json={"metadata": {"n": number}})

        assert response.status_code in (200, 422)
        assert jane.get("/v1/users/me").status_code == 200
        assert john.get("/v1/users").status_code == 200

    @pytest.mark.parametrize(
        "metadata",
        [
            {"": ""},
            {"__proto__": {"x": 1}},
            {"$ref": "#/x"},
            {"a.b": 1, "#a": ":b"},
            {"S": "x"},
            {"S": '{"roles": 1}'},
            {"N": "1"},
            {"N": "x"},
            {"B": "x"},
            {"BOOL": True},
            {"NULL": True},
            {"M": {"a": {"S": "x"}}},
            {"L": []},
            {"SS": ["x"]},
            {"a": {"S": "x"}},
        ],
    )
    def test_names_of_any_kind(self, client, john, jane, metadata):
        """Names inside metadata have no meaning to the service or its database (ASVS 1.2.4)."""
        response = jane.patch("/v1/users/me", json={"metadata": metadata})

        again = {"login": "jane", "password": jane.password}
        assert response.json["metadata"] == metadata
        assert jane.get("/v1/users/me").json["metadata"] == metadata
        assert john.get("/v1/users").status_code == 200
        assert client.post("/v1/sessions", json=again).status_code == 201

    @pytest.mark.parametrize("metadata", [{"S": "x"}, {"N": "1"}, {"M": {}}])
    def test_names_of_any_kind_at_registration(self, client, john, metadata):
        """Registration accepts the same metadata field names as an update."""
        created = client.post("/v1/users", json={**ADA, "metadata": metadata})

        assert john.get(created.headers["Location"]).json["metadata"] == metadata


class TestIds:
    @pytest.mark.parametrize("id", NO_IDS)
    def test_user(self, jane, id):
        """A malformed id is a 404 (CVE-2025-48370)."""
        assert outcome(jane.get(f"/v1/users/{id}"))[0] == 404

    @pytest.mark.parametrize("id", NO_IDS)
    def test_admin_reads(self, john, id):
        """A malformed id is a 404 to an admin too and finds no user."""
        assert outcome(john.get(f"/v1/users/{id}"))[0] == 404

    @pytest.mark.parametrize(
        "method, path, options",
        [
            ("PATCH", "", {"json": {"full_name": "changed"}}),
            ("PATCH", "", {"json": {"roles": ["user"]}}),
            ("DELETE", "", {}),
            ("PUT", "/password", {"json": {"current_password": "x", "new_password": "y" * 20}}),
            ("GET", "/sessions", {}),
            ("DELETE", "/sessions", {}),
        ],
    )
    @pytest.mark.parametrize("id", ["nonsense", "01A1FB1B-6876-7644-9935-000000000000"])
    def test_admin_writes(self, john, create_user, snapshot, id, method, path, options):
        """A malformed id lets an admin change or delete no user, its own account included."""
        create_user("amy", roles=["admin"])
        before = snapshot()

        response = john.request(method, f"/v1/users/{id}{path}", **options)

        assert outcome(response) == (404, "user-not-found", [])
        assert snapshot() == before
