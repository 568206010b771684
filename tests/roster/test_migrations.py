"""`roster dynamodb migrate`: rows of the search for users without, while others serve."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from models import Status, User, db, is_indexed
from models.tables.search_term import SearchTerm, rows_of
from roster.migrations import OLD_SEARCH_TERMS, SEARCH_TERMS
from tests.support.invariants import audited_users
from tests.support.responses import names

UNFOUND = "not found. Run `roster dynamodb migrate 0001-search-terms --repeat`."


@pytest.fixture
def without_search(make_app) -> Flask:
    """Return an app that writes no rows, as the versions before the search did."""
    return make_app(search=False)


@pytest.fixture
def old_users(without_search, john):
    """Register users without rows, and john with rows; return the IDs of the others by name."""
    with without_search.app_context():
        accounts = without_search.extensions["roster"].accounts
        return {
            name: accounts.register(
                username=name,
                email=f"{name}@example.com",
                full_name=f"{name.title()} Old",
                password="a bridge of red stone",
            ).id
            for name in ("amy", "bea", "cyd", "dot")
        }


@pytest.fixture
def migrate(app):
    """Return a function that runs migrations with the settings of an app."""

    def run(*arguments, app=app, **options):
        with app.app_context():
            return {status.id: status.changed for status in db.migrate(*arguments, **options)}

    return run


def change_by_former_version(app: Flask, user_id: str, **values: str):
    """Change a user as a host without the search does: with a new version, and no rows."""
    with app.app_context():
        user = User.get(user_id)
        actions = [getattr(User, name).set(value) for name, value in values.items()]
        user.update(actions=[*actions, User.version.set(user.version + 1)])


class TestSearchTerms:
    def test_before(self, john, old_users):
        """Users without rows are listed, read and changed, and not found."""
        path = f"/v1/users/{old_users['amy']}"

        assert names(john.get("/v1/users?q=am")) == []
        assert names(john.get("/v1/users?q=jo")) == ["john"]
        assert names(john.get("/v1/users?username=amy")) == ["amy"]
        assert john.patch(path, json={"full_name": "Amy New"}).status_code == 200
        assert names(john.get("/v1/users?q=am")) == []

    def test_after(self, app, john, old_users, migrate):
        """A run writes all rows, once."""
        assert migrate() == {SEARCH_TERMS: 4, OLD_SEARCH_TERMS: 0}
        assert migrate() == {}
        assert migrate(SEARCH_TERMS, repeat=True) == {SEARCH_TERMS: 0}

        assert names(john.get("/v1/users?q=old")) == ["amy", "bea", "cyd", "dot"]
        with app.app_context():
            assert all(is_indexed(user) for user in audited_users())

    def test_dry_run(self, app, john, old_users, migrate):
        """A dry run counts, and writes nothing."""
        assert migrate(SEARCH_TERMS, dry_run=True) == {SEARCH_TERMS: 4}

        assert names(john.get("/v1/users?q=old")) == []

    def test_changes_after_it(self, app, john, old_users, migrate):
        """What a migrated user changes is found, and a deleted one leaves nothing."""
        migrate()
        john.patch(f"/v1/users/{old_users['amy']}", json={"full_name": "Amy New"})
        john.delete(f"/v1/users/{old_users['bea']}")

        assert names(john.get("/v1/users?q=new")) == ["amy"]
        assert names(john.get("/v1/users?q=old")) == ["cyd", "dot"]
        with app.app_context():
            audited_users()

    def test_while_serving(self, app, john, old_users, migrate):
        """Changes and deletions at the same time are all kept, and found afterwards."""
        started = threading.Barrier(5)
        clients = [app.test_client() for _ in old_users]
        headers = {"Authorization": f"Bearer {john.token}"}

        def change(client, user_id):
            started.wait()
            bodies = [{"full_name": f"Change {number}"} for number in range(10)]
            path = f"/v1/users/{user_id}"
            return {client.patch(path, json=one, headers=headers).status_code for one in bodies}

        def run():
            started.wait()
            return migrate()

        with ThreadPoolExecutor(5) as pool:
            migrated = pool.submit(run)
            statuses = list(pool.map(change, clients, old_users.values()))
            migrated.result()

        assert statuses == [{200}] * 4
        assert names(john.get("/v1/users?q=change+9")) == ["amy", "bea", "cyd", "dot"]
        with app.app_context():
            assert all(is_indexed(user) for user in audited_users())

    def test_deletion_of_a_user_as_read_before(self, app, john, old_users, migrate):
        """A user who was read before the run is read again, so that no row stays behind."""
        with app.app_context():
            accounts = app.extensions["roster"].accounts
            as_read = accounts.get(old_users["amy"])
            migrate()
            accounts.delete(as_read)

            audited_users()
        assert names(john.get("/v1/users?q=am")) == []


class TestFormerVersion:
    """A host of the version before the search serves during the run, and after it."""

    @pytest.fixture
    def renamed(self, app, old_users, migrate):
        """Migrate, and let the former version rename amy and delete bea; return the users."""
        migrate()
        change_by_former_version(app, old_users["amy"], full_name="Ann Former")
        with app.app_context():
            User(old_users["bea"]).delete()
        return old_users

    def test_search(self, john, renamed):
        """No user is found by a former name."""
        assert names(john.get("/v1/users?q=amy+old")) == []
        assert names(john.get("/v1/users?q=bea")) == []
        assert names(john.get("/v1/users?q=cyd")) == ["cyd"]

    def test_change(self, john, renamed):
        """The next change of such a user makes it found again."""
        john.patch(f"/v1/users/{renamed['amy']}", json={"locale": "de"})

        assert names(john.get("/v1/users?q=former")) == ["amy"]

    def test_repeat(self, app, john, renamed, migrate):
        """A repeated run makes it found, and lets the rows expire that are left behind."""
        assert migrate(SEARCH_TERMS, repeat=True) == {SEARCH_TERMS: 1}
        # Two of the former name, and three of the deleted user.
        assert migrate(OLD_SEARCH_TERMS, repeat=True) == {OLD_SEARCH_TERMS: 5}
        assert migrate(OLD_SEARCH_TERMS, repeat=True) == {OLD_SEARCH_TERMS: 0}

        assert names(john.get("/v1/users?q=former")) == ["amy"]
        with app.app_context():
            kept = {row.term for row in SearchTerm.scan() if not row.remove_at}
            users = list(User.scan())
        assert kept == {key for user in users for key in rows_of(user)}

    def test_name_that_comes_back(self, app, john, renamed, migrate):
        """A row that expires is kept if its user has the term again."""
        migrate(SEARCH_TERMS, repeat=True)
        migrate(OLD_SEARCH_TERMS, repeat=True)
        john.patch(f"/v1/users/{renamed['amy']}", json={"full_name": "Amy Old"})

        with app.app_context():
            kept = {row.term for row in SearchTerm.scan() if not row.remove_at}
            amy = User.get(renamed["amy"])
        assert rows_of(amy).keys() <= kept
        assert names(john.get("/v1/users?q=amy+old")) == ["amy"]


class TestOff:
    def test_rows_are_removed(self, app, without_search, john, old_users, migrate):
        """With ROSTER_SEARCH=off a run removes all rows; with `on` another one writes them."""
        migrate()
        off = migrate(SEARCH_TERMS, repeat=True, app=without_search)
        with app.app_context():
            left = list(SearchTerm.scan())
        on = migrate(SEARCH_TERMS, repeat=True)

        assert (off, left, on) == ({SEARCH_TERMS: 5}, [], {SEARCH_TERMS: 5})
        assert names(john.get("/v1/users?q=old")) == ["amy", "bea", "cyd", "dot"]


class TestCheck:
    def test_unmigrated(self, run_roster, old_users, migrate):
        """`roster check` says how many users are not found until they are migrated."""
        result = run_roster("check")
        assert (result.exit_code, result.output) == (1, f"search: 4 users are {UNFOUND}\n")

        migrate()
        assert run_roster("check").exit_code == 0

    def test_one(self, app, run_roster, jane):
        """It counts a user that a host of a former version has changed."""
        change_by_former_version(app, jane.id, status=Status.ACTIVE)

        [problem] = json.loads(run_roster("check", "--json").stdout)
        assert problem == {"subject": "search", "problem": f"1 user is {UNFOUND}"}

    def test_off(self, run_roster, without_search, john, old_users):
        """With the search off, it counts users that still have rows."""
        result = run_roster("check", app=without_search)

        assert result.exit_code == 1
        assert "1 user is in the index although ROSTER_SEARCH is off" in result.output
