"""Sample values of the pages, for previews."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from api.problems import PROBLEMS
from models import DayCounts, Role
from web.account.api_keys import ApiKeyForm
from web.account.data import DeletionForm
from web.account.email import EmailForm
from web.account.password import PasswordForm
from web.account.profile import LanguageForm, ProfileForm, UsernameForm
from web.account.second_factor import ConfirmationForm
from web.admin.changes import CHANGES, ChangeForm
from web.admin.client import ClientForm
from web.admin.client_changes import CLIENT_CHANGES
from web.admin.forms import OnceForm
from web.admin.invite import InviteForm
from web.admin.move import new_form
from web.admin.new_client import NewClientForm
from web.admin.new_user import NewUserForm
from web.admin.user import AppMetadataForm, FieldsForm, MetadataForm, RolesForm
from web.admin.users import rows_of
from web.forms import Form
from web.guards import ConfirmForm
from web.sign_in.accept_invitation import AcceptInvitationForm
from web.sign_in.emailed_links import ResetPasswordForm, VerifyEmailForm
from web.sign_in.forgot_password import ForgotPasswordForm
from web.sign_in.sign_in import CodeForm, SignInForm
from web.sign_in.sign_up import SignUpForm

_NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
_ID = "0190163d-8694-739b-aea5-966c26f8ad91"
_OTHER_ID = "0190163d-8694-739b-aea5-966c26f8ad92"
_MIN_LENGTH = 15
_DAY = DayCounts(_NOW.date(), sign_ups=12, sign_ins=340, failed_sign_ins=25)


@dataclass(frozen=True)
class PageSample:
    """What a page shows as a sample.

    Attributes:
        path: The path of the page.
        values: Returns the values, within a request for the path.
    """

    path: str
    values: Callable[[], dict[str, Any]]


def _user() -> SimpleNamespace:
    return SimpleNamespace(
        id=_ID,
        username="jane",
        account_name="jane",
        email="jane@example.com",
        pending_email="jane.doe@example.com",
        email_verified=True,
        full_name="Jane Doe",
        locale="en",
        roles=["user"],
        status="active",
        is_active=True,
        has_second_factor=True,
        failed_attempts=0,
        created_at=_NOW,
        updated_at=_NOW,
        last_login_at=_NOW,
    )


def _caller() -> SimpleNamespace:
    return SimpleNamespace(user=_user(), is_admin=True, sees_all_users=True)


def _session() -> SimpleNamespace:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"
    return SimpleNamespace(
        id="s", user_agent=agent, ip="192.0.2.7", created_at=_NOW, last_used_at=_NOW
    )


def _key() -> SimpleNamespace:
    return SimpleNamespace(
        id="k",
        name="Nightly export",
        roles=["user"],
        scopes=[],
        created_at=_NOW,
        last_used_at=None,
        expires_at=_NOW + timedelta(days=90),
    )


def _event() -> SimpleNamespace:
    return SimpleNamespace(
        at=_NOW,
        type="session.opened",
        count=1,
        user_id=_ID,
        actor_id=_ID,
        api_key_id=None,
        members=[],
        reason=None,
        ip="192.0.2.7",
        user_agent="curl/8.5.0",
    )


def _factor() -> SimpleNamespace:
    return SimpleNamespace(enabled=True, enabled_at=_NOW, recovery_codes_left=8)


def _client() -> SimpleNamespace:
    return SimpleNamespace(
        id=_ID,
        name="billing",
        scopes=["introspect"],
        audience="https://billing.example.com",
        disabled=False,
        secrets=[SimpleNamespace(id=_ID, created_at=_NOW, last_used_at=None)],
        created_at=_NOW,
        updated_at=_NOW,
        last_used_at=None,
    )


def _invitation() -> SimpleNamespace:
    return SimpleNamespace(
        id=_ID,
        email="ada@example.com",
        roles=["user"],
        is_expired=False,
        sent_at=_NOW,
        expires_at=_NOW + timedelta(days=7),
        invited_by=_ID,
    )


def _of_form(form: Callable[..., Form], **values: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"form": form(formdata=None), "caller": _caller(), **values}


def _of_list(**values: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"form": None, "caller": _caller(), "next_cursor": None, **values}


def _profile() -> dict[str, Any]:
    profile = ProfileForm(formdata=None, full_name="Jane Doe")
    username = UsernameForm(formdata=None, username="jane")
    return {
        "form": profile,
        "profile": profile,
        "languages": LanguageForm(formdata=None, locale="en"),
        "username": username,
        "caller": _caller(),
    }


def _api_keys() -> dict[str, Any]:
    form = ApiKeyForm(formdata=None)
    return {"form": form, "keys": [_key()], "needs_verification": False, "caller": _caller()}


def _admin_users() -> dict[str, Any]:
    user: Any = SimpleNamespace(attribute_values=vars(_user()))
    items = rows_of([user])
    values = _of_list(items=items, q="", filters={}, statuses=["active"], roles=list(Role))
    return values()


def _admin_user() -> dict[str, Any]:
    return {
        "form": Form(formdata=None),
        "caller": _caller(),
        "user": _user(),
        "fields": FieldsForm(formdata=None, username="jane", email="jane@example.com"),
        "roles": RolesForm(formdata=None, roles=["user"]),
        "metadata": MetadataForm(formdata=None, metadata="{}"),
        "app_metadata": AppMetadataForm(formdata=None, app_metadata="{}"),
        "changes": list(CHANGES),
        "may_edit": True,
        "may_end_sessions": True,
        "sessions": [_session()],
        "keys": [_key()],
        "second_factor": _factor(),
    }


def _move() -> dict[str, Any]:
    other: Any = SimpleNamespace(**{**vars(_user()), "id": _OTHER_ID, "version": 1})
    form = new_form(other, other)
    return {"form": form, "caller": _caller(), "user": _user(), "source": other, "typed": ""}


# By the names of the templates below `pages/`. Other templates are parts of these.
PAGE_SAMPLES: Mapping[str, PageSample] = {
    "sign_in/sign_in.html": PageSample("/sign-in", _of_form(SignInForm, can_sign_up=True)),
    "sign_in/code.html": PageSample("/sign-in/code", _of_form(CodeForm)),
    "sign_in/confirm.html": PageSample(
        "/account", _of_form(ConfirmForm, kept=[], needs_code=True, minutes=10)
    ),
    "sign_in/sign_up.html": PageSample("/sign-up", _of_form(SignUpForm, min_length=_MIN_LENGTH)),
    "sign_in/sign_up_closed.html": PageSample("/sign-up", _of_list()),
    "sign_in/sign_out.html": PageSample("/sign-out", _of_form(Form)),
    "sign_in/forgot_password.html": PageSample("/forgot-password", _of_form(ForgotPasswordForm)),
    "sign_in/verify_email.html": PageSample(
        "/verify-email", _of_form(VerifyEmailForm, needs_password=True)
    ),
    "sign_in/reset_password.html": PageSample(
        "/reset-password", _of_form(ResetPasswordForm, needs_code=True, min_length=_MIN_LENGTH)
    ),
    "sign_in/accept_invitation.html": PageSample(
        "/accept-invitation", _of_form(AcceptInvitationForm, min_length=_MIN_LENGTH)
    ),
    "account/profile.html": PageSample("/account", _profile),
    "account/email.html": PageSample("/account/email", _of_form(EmailForm, sends_emails=True)),
    "account/password.html": PageSample(
        "/account/password", _of_form(PasswordForm, min_length=_MIN_LENGTH)
    ),
    "account/second_factor.html": PageSample(
        "/account/second-factor", _of_form(Form, status=_factor(), needs_verification=False)
    ),
    "account/second_factor_setup.html": PageSample(
        "/account/second-factor", _of_form(ConfirmationForm, qr_code=None, secret=None)
    ),
    "account/recovery_codes.html": PageSample(
        "/account/second-factor", _of_list(codes=["aaaa-bbbb-cccc", "dddd-eeee-ffff"])
    ),
    "account/sessions.html": PageSample(
        "/account/sessions", _of_list(sessions=[_session()], current="s")
    ),
    "account/api_keys.html": PageSample("/account/api-keys", _api_keys),
    "account/api_key.html": PageSample("/account/api-keys", _of_list(row=_key(), key="rsk_sample")),
    "account/activity.html": PageSample("/account/activity", _of_list(items=[_event()])),
    "account/data.html": PageSample("/account/data", _of_form(DeletionForm, max_events=1000)),
    "admin/users.html": PageSample("/admin", _admin_users),
    "admin/user.html": PageSample(f"/admin/users/{_ID}", _admin_user),
    "admin/new_user.html": PageSample(
        "/admin/users/new", _of_form(NewUserForm, sends_emails=True, min_length=_MIN_LENGTH)
    ),
    "admin/change.html": PageSample(
        f"/admin/users/{_ID}/suspend", _of_form(ChangeForm, user=_user(), change="suspend")
    ),
    "admin/move.html": PageSample(f"/admin/users/{_ID}/move", _move),
    "admin/clients.html": PageSample("/admin/clients", _of_list(items=[_client()])),
    "admin/new_client.html": PageSample("/admin/clients/new", _of_form(NewClientForm)),
    "admin/client.html": PageSample(
        f"/admin/clients/{_ID}",
        _of_form(
            ClientForm,
            client=_client(),
            changes=list(CLIENT_CHANGES),
            can_add=True,
            events=[_event()],
        ),
    ),
    "admin/client_change.html": PageSample(
        f"/admin/clients/{_ID}/delete", _of_form(OnceForm, client=_client(), change="delete")
    ),
    "admin/client_secret.html": PageSample(
        "/admin/clients/new",
        _of_list(client=_client(), secret="rsc_sample"),  # nosec B106 - of nothing
    ),
    "admin/invitations.html": PageSample("/admin/invitations", _of_list(items=[_invitation()])),
    "admin/invite.html": PageSample(
        "/admin/invitations/new", _of_form(InviteForm, sends_emails=True)
    ),
    "admin/invited.html": PageSample(
        "/admin/invitations/new", _of_list(outcomes=[("ada@example.com", "invited")])
    ),
    "admin/invitation_change.html": PageSample(
        f"/admin/invitations/{_ID}/resend",
        _of_form(Form, invitation=_invitation(), change="resend"),
    ),
    "admin/events.html": PageSample(
        "/admin/events",
        _of_list(
            items=[_event()],
            typed={"user": "jane", "actor": ""},
            unknown=[],
            is_asked=True,
            filters={"user": _ID},
            types=["session.opened"],
        ),
    ),
    "admin/statistics.html": PageSample(
        "/admin/statistics",
        _of_list(users=1204, periods=[(7, _DAY)], days=[_DAY], most=_DAY.sign_ins),
    ),
    "error.html": PageSample(
        "/account",
        _of_list(problem="not-found", detail="There is nothing at this URL.", request_id="0"),
    ),
    "problems/index.html": PageSample("/problems", _of_list(problems=list(PROBLEMS.values()))),
    "problems/problem.html": PageSample(
        "/problems/not-found", _of_list(problem=PROBLEMS["not-found"])
    ),
}
