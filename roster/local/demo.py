"""Local mode: settings for the embedded engine, a secret key of its own, demo users."""

import os
import secrets
from dataclasses import replace
from pathlib import Path

from models import Accounts, LoginLookup, Role, UsernameMode
from models.errors import EmailTaken, UsernameTaken
from roster.config import Config, EmailSettings, SettingError, split_keys
from roster.local.loopback import is_loopback

DEMO_USERS = (("john", "John Doe", Role.ADMIN), ("jane", "Jane Doe", Role.USER))
_REGION = "us-east-1"


def configure(config: Config, engine: str, data: Path, base: str) -> Config:
    """Return the settings with which the service uses the engine and nothing else.

    Args:
        config: The settings of the environment.
        engine: The URL of the running engine.
        data: The data folder.
        base: The URL of the service.
    """
    return replace(
        config,
        is_local=True,
        secret_keys=config.secret_keys or _secret_keys(data / "secret-key"),
        email=_email(config.email, data, base),
        dynamodb={
            **config.dynamodb,
            "DYNAMODB_HOST": engine,
            "DYNAMODB_REGION": _REGION,
            # The engine checks no signatures. Set together with its endpoint, so that no real
            # credentials are ever sent to it.
            "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
            "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
            "DYNAMODB_AWS_SESSION_TOKEN": None,
        },
    )


def note_url(data: Path, url: str) -> None:
    """Note where the service is, for the links in emails of commands."""
    (data / "service-url").write_text(f"{url}\n")


def noted_url(data: Path) -> str:
    """Return where the service is, or was when it last ran."""
    try:
        return (data / "service-url").read_text().strip()
    except FileNotFoundError:
        return EmailSettings.base_url


def seed(accounts: Accounts, password: str) -> None:
    """Create the demo users that do not exist yet.

    Raises:
        WeakPassword: The policy rejects the demo password.
    """
    for name, full_name, role in DEMO_USERS:
        try:
            accounts.register(
                username=name if accounts.usernames.are_on else None,
                email=_demo_email(name),
                password=password,
                full_name=full_name,
                roles=[role],
                email_verified=True,
                # The domains of sign-ups are for other people.
                any_domain=True,
            )
        except (EmailTaken, UsernameTaken):
            continue


def demo_logins(config: Config) -> list[str]:
    """Return what the demo users sign in with; the first one is an admin."""
    has_usernames = config.username_mode is not UsernameMode.OFF
    return [name if has_usernames else _demo_email(name) for name, _, _ in DEMO_USERS]


def require_loopback(config: Config, host: str) -> None:
    """Reject an address that other computers can reach: the demo password is public.

    Raises:
        SettingError: The address is not one of loopback.
    """
    if config.demo and not is_loopback(host):
        raise SettingError(
            f"Other computers can reach {host}, and the demo users have a public password: john is"
            " an admin. Set ROSTER_DEMO=off, or add --expose-demo-users."
        )


def require_no_demo_users(host: str, data: Path) -> None:
    """Reject an address that other computers can reach, if an earlier start created demo users.

    Raises:
        SettingError: The address is not one of loopback, and there are demo users in the tables.
    """
    if is_loopback(host):
        return
    logins = LoginLookup()
    if found := [
        name
        for name, _, _ in DEMO_USERS
        if logins.find(name)[0] or logins.find(_demo_email(name))[0]
    ]:
        raise SettingError(
            f"Other computers can reach {host}, and an earlier start created {' and '.join(found)}"
            f" in {data}, with a public password. Choose another folder with --data, or add"
            " --expose-demo-users."
        )


def url(host: str, port: int) -> str:
    """Return the URL of the service for a browser on this computer."""
    # Wildcard addresses cannot be opened in a browser.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # nosec B104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def banner(config: Config, host: str, port: int) -> str:
    """Return what the developer needs first: URLs and the demo sign-in."""
    base = url(host, port)
    lines = [f"Roster serves on {base}", f"  Swagger UI   {base}/docs"]
    if config.demo:
        names = demo_logins(config)
        lines += [
            f"  Demo users   {' and '.join(names)} ({names[0]} is an admin)",
            f"  Password     {config.demo_password}",
        ]
    if config.email.folder is not None:
        lines.append(f"  Emails       {base}/dev/mail")
    return "\n".join([*lines, "  Press Ctrl-C to stop; the data is kept."])


def _demo_email(name: str) -> str:
    return f"{name}@example.com"


def _email(settings: EmailSettings, data: Path, base: str) -> EmailSettings:
    """Keep emails on this computer, unless a mail server is configured."""
    return replace(
        settings,
        folder=None if settings.smtp_host is not None else data / "mail",
        base_url=base if settings.base_url == EmailSettings.base_url else settings.base_url,
    )


def _secret_keys(path: Path) -> tuple[str, ...]:
    """Return the keys in the file, which is created at the first start and private to its owner."""
    # Renamed when complete, so that a killed start leaves no partial key.
    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        # Never a file that another user has open.
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        draft.replace(path)
    status = path.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise SettingError(
            f"{path} must belong to you and be inaccessible to other users: check its origin, and"
            " delete it to get another key."
        )
    keys = split_keys(path.read_text(errors="replace"))
    if not keys:
        raise SettingError(f"{path} is empty: restore it, or delete it to get another key.")
    return keys
