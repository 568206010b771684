"""Every setting: its default, what it takes and what it refuses."""

import os
from datetime import timedelta

import pytest

from flask_pynamodb import ConfigurationError
from models import CHEAPEST_PROFILE
from roster.app import create_app
from roster.config import (
    Config,
    EmailSettings,
    SecondFactorRule,
    SettingError,
    SignUp,
    SmtpSecurity,
    usable_cores,
)

PREFIXES = ("ROSTER_", "DYNAMODB_", "AWS_")
SECRET = "a long random value"
# Our own settings refuse with the first, the extension's with the second.
REFUSALS = (SettingError, ConfigurationError)
SERVER = {
    "ROSTER_SMTP_HOST": "smtp.example.com",
    "ROSTER_SMTP_USERNAME": "roster",
    "ROSTER_SMTP_PASSWORD": "a mail password",
    "ROSTER_MAIL_FROM": "Roster <accounts@example.com>",
    "ROSTER_PUBLIC_URL": "https://accounts.example.com",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment with a secret key and no other setting."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ROSTER_SECRET_KEY", SECRET)


class TestDefaults:
    @pytest.mark.parametrize(
        "attribute, value",
        [
            ("secret_key", SECRET),
            ("signup", SignUp.OPEN),
            ("session_idle", timedelta(days=7)),
            ("session_max", timedelta(days=30)),
            ("password_min_length", 15),
            ("workers", usable_cores()),
            ("demo", False),
            ("demo_password", "correct horse battery staple"),
            ("rate_limits", True),
            ("trusted_proxies", ()),
            ("reset_lifetime", timedelta(minutes=10)),
            ("verification_lifetime", timedelta(hours=24)),
            ("require_verified_email", False),
            ("fresh_sign_in", timedelta(minutes=10)),
            ("second_factor", SecondFactorRule.OPTIONAL),
            ("totp_secrets", {}),
            ("mail", EmailSettings()),
        ],
    )
    def test_service(self, attribute, value):
        """Without a variable each setting has the contract's default."""
        assert getattr(Config.from_env(), attribute) == value

    def test_mail(self):
        """Without a variable no mail is sent, and links lead to this computer."""
        mail = Config.from_env().mail

        assert (mail.smtp_host, mail.folder) == (None, None)
        assert mail.smtp_security is SmtpSecurity.STARTTLS
        assert mail.sender == "roster@localhost"
        assert mail.base_url == "http://127.0.0.1:8080"

    def test_extension(self):
        """The extension's settings are all there, with waits that suit a web service."""
        assert Config.from_env().dynamodb == {
            "DYNAMODB_REGION": None,
            "DYNAMODB_HOST": None,
            "DYNAMODB_CONNECT_TIMEOUT_SECONDS": 2.0,
            "DYNAMODB_READ_TIMEOUT_SECONDS": 5.0,
            "DYNAMODB_BASE_BACKOFF_MS": 25,
            "DYNAMODB_MAX_RETRY_ATTEMPTS": 3,
            "DYNAMODB_MAX_POOL_CONNECTIONS": 16,
            "DYNAMODB_EXTRA_HEADERS": None,
            "DYNAMODB_AWS_ACCESS_KEY_ID": None,
            "DYNAMODB_AWS_SECRET_ACCESS_KEY": None,
            "DYNAMODB_AWS_SESSION_TOKEN": None,
            "DYNAMODB_READ_CAPACITY_UNITS": None,
            "DYNAMODB_WRITE_CAPACITY_UNITS": None,
            "DYNAMODB_TABLE_PREFIX": "roster-",
            "DYNAMODB_TABLE_SUFFIX": "",
            "DYNAMODB_BILLING_MODE": None,
            "DYNAMODB_TRANSPORT": "lean",
            "DYNAMODB_DEADLINE_SECONDS": 10.0,
            "DYNAMODB_DEBUG": False,
        }


class TestUsableCores:
    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux confines")
    def test_confined(self):
        """Who may run on one core of the machine has one worker."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        try:
            assert usable_cores() == 1
            assert Config.from_env().workers == 1
        finally:
            os.sched_setaffinity(0, before)

    def test_the_system_does_not_tell(self, monkeypatch):
        """Where there is no such rule all cores of the machine count."""
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)

        assert usable_cores() == os.cpu_count()


class TestValues:
    @pytest.mark.parametrize(
        "variable, text, attribute, value",
        [
            ("ROSTER_SIGNUP", "closed", "signup", SignUp.CLOSED),
            ("ROSTER_SESSION_IDLE", "12h", "session_idle", timedelta(hours=12)),
            ("ROSTER_SESSION_IDLE", "1d12h", "session_idle", timedelta(hours=36)),
            ("ROSTER_SESSION_MAX", "90d", "session_max", timedelta(days=90)),
            ("ROSTER_PASSWORD_MIN_LENGTH", "8", "password_min_length", 8),
            ("ROSTER_WORKERS", "4", "workers", 4),
            ("ROSTER_DEMO", "0", "demo", False),
            ("ROSTER_DEMO_PASSWORD", "another one", "demo_password", "another one"),
            ("ROSTER_RATE_LIMITS", "off", "rate_limits", False),
            ("ROSTER_TRUSTED_PROXIES", "10.0.0.0/8", "trusted_proxies", ("10.0.0.0/8",)),
            (
                "ROSTER_TRUSTED_PROXIES",
                "192.0.2.7,2001:db8::/32",
                "trusted_proxies",
                ("192.0.2.7", "2001:db8::/32"),
            ),
            ("ROSTER_RESET_LIFETIME", "1h", "reset_lifetime", timedelta(hours=1)),
            ("ROSTER_VERIFICATION_LIFETIME", "3d", "verification_lifetime", timedelta(days=3)),
            ("ROSTER_REQUIRE_VERIFIED_EMAIL", "1", "require_verified_email", True),
            ("ROSTER_FRESH_SIGN_IN", "5m", "fresh_sign_in", timedelta(minutes=5)),
            ("ROSTER_SECOND_FACTOR", "admins", "second_factor", SecondFactorRule.ADMINS),
            (
                "ROSTER_TOTP_SECRETS",
                "2026=sixteen-letters=,2027=sixteen-or-more..",
                "totp_secrets",
                {"2026": "sixteen-letters=", "2027": "sixteen-or-more.."},
            ),
        ],
    )
    def test_service(self, monkeypatch, variable, text, attribute, value):
        """A variable is read into the type of its setting."""
        monkeypatch.setenv(variable, text)

        assert getattr(Config.from_env(), attribute) == value

    @pytest.mark.parametrize(
        "variable, text, attribute, value",
        [
            ("ROSTER_MAIL_FROM", "a@example.com", "sender", "a@example.com"),
            ("ROSTER_MAIL_FROM", "R\u00f6ster <a@b.de>", "sender", "R\u00f6ster <a@b.de>"),
            ("ROSTER_PUBLIC_URL", "https://a.example", "base_url", "https://a.example"),
            ("ROSTER_PUBLIC_URL", "https://a.example/b/", "base_url", "https://a.example/b"),
            ("ROSTER_SMTP_PORT", "2525", "smtp_port", 2525),
            ("ROSTER_SMTP_SECURITY", "tls", "smtp_security", SmtpSecurity.TLS),
        ],
    )
    def test_mail(self, monkeypatch, variable, text, attribute, value):
        """The settings of mails are read into their own types."""
        monkeypatch.setenv(variable, text)

        assert getattr(Config.from_env().mail, attribute) == value

    def test_mail_server(self, monkeypatch):
        """A mail server and the password for it are read together."""
        for name, text in SERVER.items():
            monkeypatch.setenv(name, text)
        mail = Config.from_env().mail

        assert mail.smtp_host == "smtp.example.com"
        assert (mail.smtp_username, mail.smtp_password) == ("roster", "a mail password")

    @pytest.mark.parametrize("security, port", [("starttls", 587), ("tls", 465), ("none", 25)])
    def test_port_of_a_mail_server(self, monkeypatch, security, port):
        """RFC 6409, RFC 8314: each kind of protection has its port."""
        monkeypatch.setenv("ROSTER_SMTP_SECURITY", security)

        assert Config.from_env().mail.smtp_port == port

    @pytest.mark.parametrize(
        "variable, text, value",
        [
            ("DYNAMODB_REGION", "eu-central-1", "eu-central-1"),
            ("DYNAMODB_HOST", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("DYNAMODB_CONNECT_TIMEOUT_SECONDS", "0.5", 0.5),
            ("DYNAMODB_READ_TIMEOUT_SECONDS", "10", 10.0),
            ("DYNAMODB_BASE_BACKOFF_MS", "50", 50),
            ("DYNAMODB_MAX_RETRY_ATTEMPTS", "0", 0),
            ("DYNAMODB_MAX_POOL_CONNECTIONS", "32", 32),
            ("DYNAMODB_EXTRA_HEADERS", "X-A=1,X-B=2", {"X-A": "1", "X-B": "2"}),
            ("DYNAMODB_AWS_SESSION_TOKEN", "token", "token"),
            ("DYNAMODB_TABLE_PREFIX", "", ""),
            ("DYNAMODB_TABLE_PREFIX", "test.", "test."),
            ("DYNAMODB_BILLING_MODE", "PROVISIONED", "PROVISIONED"),
        ],
    )
    def test_extension(self, monkeypatch, variable, text, value):
        """The extension's settings come from variables of the same names."""
        monkeypatch.setenv(variable, text)

        assert Config.from_env().dynamodb[variable] == value

    @pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
    def test_region_of_aws(self, monkeypatch, variable):
        """The region is taken from where AWS puts it."""
        monkeypatch.setenv(variable, "eu-west-3")

        assert Config.from_env().dynamodb["DYNAMODB_REGION"] == "eu-west-3"

    def test_own_region_wins(self, monkeypatch):
        """DYNAMODB_REGION is meant for us, AWS_REGION for everybody."""
        monkeypatch.setenv("AWS_REGION", "eu-west-3")
        monkeypatch.setenv("DYNAMODB_REGION", "eu-central-1")

        assert Config.from_env().dynamodb["DYNAMODB_REGION"] == "eu-central-1"


class TestRefusals:
    @pytest.mark.parametrize(
        "variable, text",
        [
            ("ROSTER_SECRET_KEY", ""),
            ("ROSTER_SECRET_KEY", "   "),
            ("ROSTER_SIGNUP", "maybe"),
            ("ROSTER_SIGNUP", ""),
            ("ROSTER_SESSION_IDLE", "soon"),
            ("ROSTER_SESSION_IDLE", ""),
            ("ROSTER_SESSION_IDLE", "0s"),
            ("ROSTER_SESSION_IDLE", "-1d"),
            ("ROSTER_SESSION_MAX", "soon"),
            ("ROSTER_SESSION_MAX", "0s"),
            ("ROSTER_SESSION_MAX", "9999999d"),
            ("ROSTER_SESSION_MAX", "99999999999999d"),
            ("ROSTER_PASSWORD_MIN_LENGTH", "7"),
            ("ROSTER_PASSWORD_MIN_LENGTH", "129"),
            ("ROSTER_PASSWORD_MIN_LENGTH", "many"),
            ("ROSTER_WORKERS", "0"),
            ("ROSTER_WORKERS", "257"),
            ("ROSTER_WORKERS", "two"),
            ("ROSTER_DEMO", "perhaps"),
            ("ROSTER_DEMO_PASSWORD", ""),
            ("ROSTER_RATE_LIMITS", "perhaps"),
            ("ROSTER_TRUSTED_PROXIES", "*"),
            ("ROSTER_TRUSTED_PROXIES", "proxy.example.com"),
            ("ROSTER_TRUSTED_PROXIES", "10.0.0.1/8"),
            ("ROSTER_TRUSTED_PROXIES", "10.0.0.0/8,nonsense"),
            ("ROSTER_RESET_LIFETIME", "9m59s"),
            ("ROSTER_RESET_LIFETIME", "61m"),
            ("ROSTER_RESET_LIFETIME", "soon"),
            ("ROSTER_RESET_LIFETIME", "99999999999999d"),
            ("ROSTER_VERIFICATION_LIFETIME", "0s"),
            ("ROSTER_VERIFICATION_LIFETIME", "soon"),
            ("ROSTER_REQUIRE_VERIFIED_EMAIL", "perhaps"),
            ("ROSTER_FRESH_SIGN_IN", "0s"),
            ("ROSTER_FRESH_SIGN_IN", "soon"),
            ("ROSTER_SECOND_FACTOR", "everybody"),
            ("ROSTER_TOTP_SECRETS", "nonsense"),
            ("ROSTER_TOTP_SECRETS", "2026=too short"),
            ("ROSTER_TOTP_SECRETS", "=a secret without a tag"),
            ("ROSTER_TOTP_SECRETS", ".2026=a secret with an odd tag"),
            ("ROSTER_TOTP_SECRETS", "20/26=a secret with an odd tag"),
            ("ROSTER_MAIL_FROM", ""),
            ("ROSTER_MAIL_FROM", "nobody"),
            ("ROSTER_MAIL_FROM", "a@example.com, b@example.com"),
            ("ROSTER_MAIL_FROM", "a@example.com\r\nBcc: eve@example.com"),
            ("ROSTER_MAIL_FROM", "Roster <a@example.com"),
            ("ROSTER_PUBLIC_URL", ""),
            ("ROSTER_PUBLIC_URL", "accounts.example.com"),
            ("ROSTER_PUBLIC_URL", "javascript:alert(1)//"),
            ("ROSTER_PUBLIC_URL", "https://a.example/?next=/"),
            ("ROSTER_PUBLIC_URL", "https://a.example/#x"),
            ("ROSTER_PUBLIC_URL", "https://us@a.example"),
            ("ROSTER_PUBLIC_URL", "https://a.example/a b"),
            ("ROSTER_SMTP_HOST", ""),
            ("ROSTER_SMTP_PORT", "0"),
            ("ROSTER_SMTP_PORT", "65536"),
            ("ROSTER_SMTP_PORT", "smtp"),
            ("ROSTER_SMTP_SECURITY", "ssl"),
            ("DYNAMODB_HOST", "not an URL"),
            ("DYNAMODB_REGION", "not a region"),
            ("DYNAMODB_CONNECT_TIMEOUT_SECONDS", "0"),
            ("DYNAMODB_CONNECT_TIMEOUT_SECONDS", "nan"),
            ("DYNAMODB_CONNECT_TIMEOUT_SECONDS", "soon"),
            ("DYNAMODB_READ_TIMEOUT_SECONDS", "301"),
            ("DYNAMODB_READ_TIMEOUT_SECONDS", "inf"),
            ("DYNAMODB_BASE_BACKOFF_MS", "0"),
            ("DYNAMODB_MAX_RETRY_ATTEMPTS", "-1"),
            ("DYNAMODB_MAX_RETRY_ATTEMPTS", "11"),
            ("DYNAMODB_MAX_POOL_CONNECTIONS", "0"),
            ("DYNAMODB_EXTRA_HEADERS", "nonsense"),
            ("DYNAMODB_READ_CAPACITY_UNITS", "0"),
            ("DYNAMODB_WRITE_CAPACITY_UNITS", "few"),
            ("DYNAMODB_TABLE_PREFIX", "with space/"),
            ("DYNAMODB_BILLING_MODE", "FREE"),
            ("DYNAMODB_TABLE_SUFFIX", "/"),
            ("DYNAMODB_TRANSPORT", "pigeon"),
            ("DYNAMODB_DEBUG", "perhaps"),
        ],
    )
    def test_wrong_value(self, monkeypatch, variable, text):
        """A value that a setting cannot have is refused at start with the variable's name."""
        monkeypatch.setenv(variable, text)

        with pytest.raises(REFUSALS, match=variable):
            create_app(profile=CHEAPEST_PROFILE)

    @pytest.mark.parametrize(
        "given, missing",
        [
            ("DYNAMODB_READ_CAPACITY_UNITS", "DYNAMODB_WRITE_CAPACITY_UNITS"),
            ("DYNAMODB_WRITE_CAPACITY_UNITS", "DYNAMODB_READ_CAPACITY_UNITS"),
        ],
    )
    def test_half_a_capacity(self, monkeypatch, given, missing):
        """Capacity for reads and for writes is given together; who gives one is told the other."""
        monkeypatch.setenv(given, "5")

        with pytest.raises(REFUSALS, match=missing):
            create_app(profile=CHEAPEST_PROFILE)

    @pytest.mark.parametrize("missing", ["ROSTER_MAIL_FROM", "ROSTER_PUBLIC_URL"])
    def test_mail_server_without_what_mails_need(self, monkeypatch, missing):
        """Mails that leave this computer need a sender and links that lead somewhere."""
        for name in SERVER.keys() - {missing}:
            monkeypatch.setenv(name, SERVER[name])

        with pytest.raises(SettingError, match=f"set {missing} too"):
            Config.from_env()

    @pytest.mark.parametrize("given", ["ROSTER_SMTP_USERNAME", "ROSTER_SMTP_PASSWORD"])
    def test_half_a_sign_in(self, monkeypatch, given):
        """A mail server wants both the user name and the password."""
        monkeypatch.setenv(given, "hunter2")

        with pytest.raises(SettingError, match="ROSTER_SMTP_USERNAME and ROSTER_SMTP_PASSWORD"):
            Config.from_env()

    def test_mail_password_in_the_clear(self, monkeypatch):
        """ASVS 12.2.1: a password for the mail server asks for TLS, and is not told."""
        for name, text in {**SERVER, "ROSTER_SMTP_SECURITY": "none"}.items():
            monkeypatch.setenv(name, text)

        with pytest.raises(SettingError, match="ROSTER_SMTP_SECURITY") as refusal:
            Config.from_env()
        assert SERVER["ROSTER_SMTP_PASSWORD"] not in str(refusal.value)

    @pytest.mark.parametrize("text", ["hunter2", "2026=hunter2", ".=hunter2hunter2hunter2"])
    def test_refusal_keeps_a_secret(self, monkeypatch, text):
        """ASVS 16.2.5: a refusal names the variable, but does not repeat a secret."""
        monkeypatch.setenv("ROSTER_TOTP_SECRETS", text)

        with pytest.raises(SettingError) as refusal:
            Config.from_env()
        assert "hunter2" not in str(refusal.value)

    def test_no_secret_key(self, monkeypatch):
        """The service refuses to start without a secret key."""
        monkeypatch.delenv("ROSTER_SECRET_KEY")

        with pytest.raises(SettingError, match="ROSTER_SECRET_KEY"):
            create_app()

    def test_demo_users_in_production(self, monkeypatch):
        """Users with a public password are refused outside local mode (ASVS 6.3.2)."""
        monkeypatch.setenv("ROSTER_DEMO", "1")

        with pytest.raises(SettingError, match="ROSTER_DEMO"):
            Config.from_env()

    @pytest.mark.parametrize(
        "variable", ["ROSTER_SESSION_IDLE", "ROSTER_WORKERS", "DYNAMODB_READ_TIMEOUT_SECONDS"]
    )
    def test_one_line(self, monkeypatch, variable):
        """A refusal is one line that a person can act on."""
        monkeypatch.setenv(variable, "nonsense")

        with pytest.raises(SettingError) as refusal:
            Config.from_env()

        assert "\n" not in str(refusal.value)


class TestLocal:
    def test_no_secret_key_needed(self, monkeypatch):
        """Local mode makes a key of its own."""
        monkeypatch.delenv("ROSTER_SECRET_KEY")

        assert Config.from_env(local=True).secret_key == ""

    @pytest.mark.parametrize("text, value", [("1", True), ("0", False), ("false", False)])
    def test_demo_users(self, monkeypatch, text, value):
        """Local mode has demo users unless they are turned off."""
        monkeypatch.setenv("ROSTER_DEMO", text)

        assert Config.from_env(local=True).demo is value

    def test_demo_users_by_default(self):
        """Local mode has demo users."""
        assert Config.from_env(local=True).demo is True


class TestConfig:
    @pytest.mark.parametrize(
        "variable",
        [
            "ROSTER_SECRET_KEY",
            "ROSTER_DEMO_PASSWORD",
            "DYNAMODB_AWS_ACCESS_KEY_ID",
            "DYNAMODB_AWS_SECRET_ACCESS_KEY",
            "DYNAMODB_AWS_SESSION_TOKEN",
            "DYNAMODB_EXTRA_HEADERS",
        ],
    )
    def test_secrets_are_not_printed(self, monkeypatch, variable):
        """What is secret does not show when the settings are printed."""
        monkeypatch.setenv(variable, "X-Key=hunter2-hunter2")

        assert "hunter2" not in repr(Config.from_env())

    def test_secrets_of_second_factors_and_mails_are_not_printed(self, monkeypatch):
        """ASVS 16.2.5: neither these nor the mail server's password show."""
        monkeypatch.setenv("ROSTER_TOTP_SECRETS", "2026=hunter2-hunter2-hunter2")
        for name, text in {**SERVER, "ROSTER_SMTP_PASSWORD": "hunter2"}.items():
            monkeypatch.setenv(name, text)

        assert "hunter2" not in repr(Config.from_env())

    def test_read_once(self, monkeypatch):
        """A running app does not see that the environment changes."""
        app = create_app(Config.from_env(), profile=CHEAPEST_PROFILE)
        monkeypatch.setenv("DYNAMODB_TABLE_PREFIX", "other-")

        assert app.config["DYNAMODB_TABLE_PREFIX"] == "roster-"

    def test_reaches_the_app(self, monkeypatch):
        """Settings of the extension and the key end up where Flask looks for them."""
        monkeypatch.setenv("DYNAMODB_TABLE_PREFIX", "other-")

        app = create_app(profile=CHEAPEST_PROFILE)

        assert app.config["SECRET_KEY"] == SECRET
        assert app.config["DYNAMODB_TABLE_PREFIX"] == "other-"
        assert app.config["MAX_CONTENT_LENGTH"] == 65_536
