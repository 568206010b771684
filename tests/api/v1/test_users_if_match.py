"""`If-Match` on PATCH and DELETE of a user."""

import pytest

from tests.support.responses import outcome

MISMATCHES = [
    '"7-0"',
    'W/"1-0"',
    "",
    '""',
    '"',
    "nonsense",
    '"nonsense"',
    '"-"',
    '"0-0"',
    '"zz-1"',
    '"7-0", "8-0"',
    '"' + "f" * 5000 + '"',
]
NEVER_GIVEN = ['"1"', '"0x1-0"', '"+1-0"', '"1-nonsense"', '" 1-0"', '"\u0661-0"', '"01-0"']


@pytest.fixture
def tag(jane):
    return jane.get("/v1/users/me").headers["ETag"]


class TestPatch:
    def test_match(self, jane, tag):
        """A change with the current ETag is accepted and returns the new one."""
        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers={"If-Match": tag})

        assert response.status_code == 200
        assert response.headers["ETag"] != tag
        assert response.headers["ETag"] == jane.get("/v1/users/me").headers["ETag"]

    @pytest.mark.parametrize("form", ["*", '"7-0", {}', '{} , W/"7-0"'])
    def test_list_and_star(self, jane, tag, form):
        """One matching ETag of several is enough, and `*` matches any state."""
        header = {"If-Match": form.format(tag)}

        assert jane.patch("/v1/users/me", json={}, headers=header).status_code == 200

    def test_weak(self, jane, tag):
        """A weak ETag never matches, even the current one (RFC 9110, 13.1.1); the error says so."""
        response = jane.patch(
            "/v1/users/me", json={"full_name": "J"}, headers={"If-Match": f"W/{tag}"}
        )

        assert outcome(response) == (412, "version-mismatch", [])
        assert "without W/" in response.json["detail"]

    @pytest.mark.parametrize("form", ["W/{}", "{}", '"7-0"'])
    def test_after_all_other_errors(self, jane, john, tag, form):
        """RFC 9110, 13.2.1: a precondition does not hide that there is no such user."""
        header = {"If-Match": form.format(tag)}

        assert outcome(john.delete("/v1/users/nobody", headers=header))[0] == 404
        assert outcome(jane.delete(john.path, headers=header))[0] == 404

    @pytest.mark.parametrize("form", ["*", "{}", "W/{}", '"7-0", {}'])
    def test_if_none_match(self, jane, snapshot, tag, form):
        """RFC 9110, 13.1.2: `If-None-Match` with the current state rejects a change."""
        before = snapshot()
        header = {"If-None-Match": form.format(tag)}
        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers=header)

        assert outcome(response) == (412, "version-mismatch", [])
        assert snapshot() == before

    @pytest.mark.parametrize("form", ['"7-0"', "nonsense"])
    def test_if_none_match_of_another_state(self, jane, form):
        """`If-None-Match` with another state lets the change pass."""
        header = {"If-None-Match": form}

        assert (
            jane.patch("/v1/users/me", json={"full_name": "J"}, headers=header).status_code == 200
        )

    def test_both(self, jane, tag):
        """With both header fields both must hold."""
        headers = {"If-Match": tag, "If-None-Match": tag}
        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers=headers)

        assert outcome(response) == (412, "version-mismatch", [])

    @pytest.mark.parametrize("header", MISMATCHES)
    def test_mismatch(self, jane, snapshot, header):
        """Any other or malformed ETag is rejected, and nothing is written."""
        before = snapshot()

        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers={"If-Match": header})

        assert outcome(response) == (412, "version-mismatch", [])
        assert snapshot() == before

    @pytest.mark.parametrize("header", NEVER_GIVEN)
    def test_unknown_tag(self, jane, snapshot, header):
        """An ETag that the service never returned matches nothing, however it is parsed."""
        before = snapshot()

        response = jane.patch(
            "/v1/users/me",
            json={"full_name": "J"},
            environ_overrides={"HTTP_IF_MATCH": header.encode().decode("latin-1")},
        )

        assert outcome(response) == (412, "version-mismatch", [])
        assert snapshot() == before

    def test_outdated(self, jane, tag):
        """An ETag is valid for one change: the second editor has to read again."""
        jane.patch("/v1/users/me", json={"full_name": "first"}, headers={"If-Match": tag})

        second = jane.patch("/v1/users/me", json={"full_name": "second"}, headers={"If-Match": tag})

        assert outcome(second) == (412, "version-mismatch", [])
        assert jane.get("/v1/users/me").json["full_name"] == "first"

    def test_outdated_by_a_new_password(self, jane, tag):
        """A change of a field that is not shown changes the ETag too."""
        passwords = {"current_password": jane.password, "new_password": "one more stone bridge"}
        jane.put("/v1/users/me/password", json=passwords)

        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers={"If-Match": tag})

        assert outcome(response) == (412, "version-mismatch", [])

    def test_mismatch_without_a_change(self, jane):
        """The precondition is checked even if the patch would change nothing."""
        response = jane.patch("/v1/users/me", json={}, headers={"If-Match": '"7-0"'})

        assert outcome(response) == (412, "version-mismatch", [])

    def test_valid_after_a_sign_in(self, john, jane, tag, second_session):
        """Signing in does not change the ETag."""
        second_session(jane)

        response = john.patch(jane.path, json={"full_name": "J"}, headers={"If-Match": tag})

        assert response.status_code == 200

    def test_valid_after_signing_out_everywhere(self, john, jane, tag):
        """Ending sessions does not change the ETag."""
        john.delete(f"{jane.path}/sessions")

        response = john.patch(jane.path, json={"full_name": "J"}, headers={"If-Match": tag})

        assert response.status_code == 200

    def test_tag_of_a_registration(self, john):
        """The ETag of the 201 is valid for the first change."""
        created = john.post(
            "/v1/users",
            json={"username": "ada", "email": "ada@example.com", "password": john.password},
        )

        response = john.patch(
            created.headers["Location"],
            json={"full_name": "Ada"},
            headers={"If-Match": created.headers["ETag"]},
        )

        assert response.status_code == 200

    def test_body_is_checked_first(self, jane):
        """An invalid body is a 422 whatever the ETag, since the database is checked last."""
        response = jane.patch("/v1/users/me", json={"nope": 1}, headers={"If-Match": '"7-0"'})

        assert outcome(response) == (422, "invalid-request", ["/nope"])


class TestDelete:
    def test_match(self, jane, tag):
        """A request with the current ETag deletes the user."""
        assert jane.delete("/v1/users/me", headers={"If-Match": tag}).status_code == 204

    def test_star(self, jane):
        """`*` matches any state."""
        assert jane.delete("/v1/users/me", headers={"If-Match": "*"}).status_code == 204

    @pytest.mark.parametrize("header", MISMATCHES)
    def test_mismatch(self, jane, snapshot, header):
        """Any other ETag keeps the user, its sessions and its names."""
        before = snapshot()

        response = jane.delete("/v1/users/me", headers={"If-Match": header})

        assert outcome(response) == (412, "version-mismatch", [])
        assert snapshot() == before

    def test_outdated(self, john, jane, tag):
        """An outdated ETag is rejected."""
        jane.patch("/v1/users/me", json={"full_name": "J"})

        response = john.delete(jane.path, headers={"If-Match": tag})

        assert outcome(response) == (412, "version-mismatch", [])
        assert jane.get("/v1/users/me").status_code == 200
