"""Traces of rejected requests in the running service: lines, and events that survive a stop."""

import re

from tests.support.process_harness import ProcessHarness

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class TestTraces:
    def test_stop(self, harness: ProcessHarness):
        """What was rejected in the last seconds is recorded when the service stops (M8)."""
        service = harness.serve()
        service.sign_up("ada")
        ada = service.token_of("ada")
        me = service.call("GET", "/v1/users/me", token=ada).body
        john = service.call("GET", "/v1/users/me", token=service.token_of("john")).body
        for _ in range(3):
            assert service.call("GET", f"/v1/users/{john['id']}", token=ada).status == 404
        assert service.stop() == 0

        again = harness.serve()
        path = f"/v1/events?user={me['id']}&type=access.denied"
        events = again.call("GET", path, token=again.token_of("john")).body["items"]

        assert sum(event["count"] for event in events) == 3
        line = (
            f"^{TIME} WARNING roster.security rejected status=404 problem=user-not-found"
            f" user={me['id']} key=- object={john['id']} request=[0-9a-f]{{16}}"
            ' client=127.0.0.1 route="GET /v1/users/<id>"$'
        )
        assert len(re.findall(line, service.said, re.MULTILINE)) == 3
        signed_in = f"^{TIME} INFO roster.security signed in .* subject={me['id']} amr=pwd"
        assert len(re.findall(signed_in, service.said, re.MULTILINE)) == 1
