"""Emails about what was done to an account, also by admins: its owner must not find out later."""

from dataclasses import replace

from models.email import Email, EmailKind
from models.tables.user import User


def notices_of(before: User, after: User) -> list[Email]:
    """Return the emails about an update of a user, to the address before it.

    Args:
        before: The user as read.
        after: The user as written.
    """

    def notice(kind: EmailKind, detail: str | None = None) -> Email:
        email = Email.to_user(kind, before, detail=detail)
        return replace(email, username=after.username or "", locale=after.locale)

    notices = []
    if after.username != before.username:
        notices.append(notice(EmailKind.USERNAME_CHANGED, before.username))
    if set(after.roles) != set(before.roles):
        notices.append(notice(EmailKind.ROLES_CHANGED, ", ".join(after.roles) or "none"))
    if after.is_active and not before.is_active:
        notices.append(notice(EmailKind.ACCOUNT_REACTIVATED))
    if before.is_active and not after.is_active:
        notices.append(notice(EmailKind.ACCOUNT_SUSPENDED))
    return notices


def notice_of_merge(user: User, names: list[str]) -> Email:
    """Return the email about the deletion of a user whose names another account has now."""
    return Email.to_user(EmailKind.ACCOUNT_MERGED, user, detail=", ".join(names))


def notice_of_deletion(user: User) -> Email:
    """Return the email about the deletion of a user, whose address is about to be gone."""
    return Email.to_user(EmailKind.ACCOUNT_DELETED, user)
