"""A module of hooks whose functions fail, with a text that no client may get."""

from roster.hooks import Registration, SignIn, Update

SECRET = "the password of the CRM is hunter2"


def before_registration(registration: Registration) -> None:
    """Fail."""
    raise RuntimeError(SECRET)


def before_sign_in(sign_in: SignIn) -> None:
    """Fail."""
    raise RuntimeError(SECRET)


def before_update(update: Update) -> None:
    """Fail."""
    raise RuntimeError(SECRET)
