"""What Acme adds to its accounts."""

import json
import os
import urllib.request

from roster.hooks import Additions, Refusal, Registration, SignIn, Update

CRM_URL = os.environ["ACME_CRM_URL"]


def before_registration(registration: Registration) -> Additions | None:
    """Start a trial for new users, but for those of the old system and of competitors."""
    if registration.user.email.endswith("@competitor.example.com"):
        raise Refusal("Talk to our sales team before you sign up.", field="email")
    if registration.is_import:
        return None
    return Additions(app_metadata={"plan": "trial"})


def after_registration(registration: Registration) -> None:
    """Tell the CRM. If this fails, it is logged, and the user is registered all the same."""
    user = registration.user
    body = json.dumps({"id": user.id, "email": user.email}).encode()
    request = urllib.request.Request(CRM_URL, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=1).close()


def before_sign_in(sign_in: SignIn) -> None:
    """Keep out users whose subscription has ended."""
    if sign_in.user.app_metadata.get("plan") == "ended":
        raise Refusal("Your subscription has ended. Write to billing@acme.example.com.")


def before_update(update: Update) -> None:
    """Keep names that were compared with a passport."""
    is_verified = update.before.app_metadata.get("passport_seen")
    if is_verified and "full_name" in update.changed_fields:
        raise Refusal("This name is verified. Support can change it.", field="full_name")
