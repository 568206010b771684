"""The limit of sessions when DynamoDB or the way to it misbehaves."""

import pytest

from models import User
from models.services.session_limit import MAX_SESSIONS
from tests.support.faulty_proxy import failed, throttled
from tests.support.person import CLIENT, PASSWORD


@pytest.mark.parametrize("fault", [failed, throttled])
def test_sign_in_succeeds(proxy, sign_in, ada, caplog, fault):
    """A sign-in succeeds although the sessions over the limit cannot be read."""
    ada.update([User.session_rows.set(MAX_SESSIONS)])
    proxy.always("Query", fault)

    _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
    proxy.behave()

    assert sign_in.authenticate(token)
    assert f"Sessions of {ada.id} over the limit remain" in caplog.text
