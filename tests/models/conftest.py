"""The domain without HTTP: operations on this test's own tables."""

from typing import Any

import pytest

from models import CHEAPEST, Accounts, Lifetimes, Passwords, SignIn
from tests.conftest import PASSWORD


@pytest.fixture
def accounts(context: None) -> Accounts:
    return Accounts(Passwords(CHEAPEST))


@pytest.fixture
def sign_in(context: None) -> SignIn:
    return SignIn(Passwords(CHEAPEST), Lifetimes())


@pytest.fixture
def register(accounts: Accounts) -> Any:
    """Makes a user by its user name: `register("ada", roles=["admin"])`."""

    def make(username: str, **attributes: Any) -> Any:
        details = {"email": f"{username}@example.com", "password": PASSWORD, **attributes}
        return accounts.register(username=username, **details)

    return make
