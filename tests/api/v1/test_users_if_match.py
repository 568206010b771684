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
        """Who has read the current state may change it and learns the new tag."""
        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers={"If-Match": tag})

        assert response.status_code == 200
        assert response.headers["ETag"] != tag
        assert response.headers["ETag"] == jane.get("/v1/users/me").headers["ETag"]

    @pytest.mark.parametrize("form", ["*", '"7-0", {}', '{} , W/"7-0"'])
    def test_list_and_star(self, jane, tag, form):
        """One tag of several is enough, and a star stands for any state there is."""
        header = {"If-Match": form.format(tag)}

        assert jane.patch("/v1/users/me", json={}, headers=header).status_code == 200

    def test_weak(self, jane, tag):
        """A weak tag never matches, even the current one (RFC 9110, 13.1.1)."""
        response = jane.patch(
            "/v1/users/me", json={"full_name": "J"}, headers={"If-Match": f"W/{tag}"}
        )

        assert outcome(response) == (412, "version-mismatch", [])

    @pytest.mark.parametrize("header", MISMATCHES)
    def test_mismatch(self, jane, stored, header):
        """Any other tag, or what is none, is refused and nothing is written."""
        before = stored()

        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers={"If-Match": header})

        assert outcome(response) == (412, "version-mismatch", [])
        assert stored() == before

    @pytest.mark.parametrize("header", NEVER_GIVEN)
    def test_never_given(self, jane, stored, header):
        """A tag that the service never gave out matches nothing, however it may be read."""
        before = stored()

        response = jane.patch(
            "/v1/users/me",
            json={"full_name": "J"},
            environ_overrides={"HTTP_IF_MATCH": header.encode().decode("latin-1")},
        )

        assert outcome(response) == (412, "version-mismatch", [])
        assert stored() == before

    def test_spent(self, jane, tag):
        """A tag is good for one change: the second editor reads again."""
        jane.patch("/v1/users/me", json={"full_name": "first"}, headers={"If-Match": tag})

        second = jane.patch("/v1/users/me", json={"full_name": "second"}, headers={"If-Match": tag})

        assert outcome(second) == (412, "version-mismatch", [])
        assert jane.get("/v1/users/me").json["full_name"] == "first"

    def test_spent_by_a_new_password(self, jane, tag):
        """A change that is not shown is a change too."""
        passwords = {"current_password": jane.password, "new_password": "one more stone bridge"}
        jane.put("/v1/users/me/password", json=passwords)

        response = jane.patch("/v1/users/me", json={"full_name": "J"}, headers={"If-Match": tag})

        assert outcome(response) == (412, "version-mismatch", [])

    def test_mismatch_where_nothing_would_change(self, jane):
        """The condition comes first, even if the patch would change nothing."""
        response = jane.patch("/v1/users/me", json={}, headers={"If-Match": '"7-0"'})

        assert outcome(response) == (412, "version-mismatch", [])

    def test_good_after_a_sign_in(self, john, jane, tag, elsewhere):
        """That somebody signs in does not void what an editor has read."""
        elsewhere(jane)

        response = john.patch(jane.path, json={"full_name": "J"}, headers={"If-Match": tag})

        assert response.status_code == 200

    def test_good_after_signing_out_everywhere(self, john, jane, tag):
        """Ended sessions are no edit either."""
        john.delete(f"{jane.path}/sessions")

        response = john.patch(jane.path, json={"full_name": "J"}, headers={"If-Match": tag})

        assert response.status_code == 200

    def test_tag_of_a_registration(self, john):
        """The tag of the 201 is good for the first change."""
        made = john.post(
            "/v1/users",
            json={"username": "ada", "email": "ada@example.com", "password": john.password},
        )

        response = john.patch(
            made.headers["Location"],
            json={"full_name": "Ada"},
            headers={"If-Match": made.headers["ETag"]},
        )

        assert response.status_code == 200

    def test_body_is_checked_first(self, jane):
        """A bad body is a 422 whatever the tag: the store comes last."""
        response = jane.patch("/v1/users/me", json={"nope": 1}, headers={"If-Match": '"7-0"'})

        assert outcome(response) == (422, "invalid-request", ["/nope"])


class TestDelete:
    def test_match(self, jane, tag):
        """The current tag lets the user go."""
        assert jane.delete("/v1/users/me", headers={"If-Match": tag}).status_code == 204

    def test_star(self, jane):
        """A star stands for any state there is."""
        assert jane.delete("/v1/users/me", headers={"If-Match": "*"}).status_code == 204

    @pytest.mark.parametrize("header", MISMATCHES)
    def test_mismatch(self, jane, stored, header):
        """Any other tag keeps the user, its sessions and its names."""
        before = stored()

        response = jane.delete("/v1/users/me", headers={"If-Match": header})

        assert outcome(response) == (412, "version-mismatch", [])
        assert stored() == before

    def test_changed_meanwhile(self, john, jane, tag):
        """Who decided on an older state is asked to look again."""
        jane.patch("/v1/users/me", json={"full_name": "J"})

        response = john.delete(jane.path, headers={"If-Match": tag})

        assert outcome(response) == (412, "version-mismatch", [])
        assert jane.get("/v1/users/me").status_code == 200
