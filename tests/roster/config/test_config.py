"""Every setting: its default, accepted values and rejected values."""

import os
import re
from datetime import timedelta

import pytest

from flask_pynamodb import ConfigurationError
from models import CHEAPEST_PROFILE, SecondFactorRule, SecretKeys, SignUp
from roster.app import create_app
from roster.config import (
    DYNAMODB_SETTINGS,
    Config,
    EmailSettings,
    LimitSettings,
    SettingError,
    SmtpSecurity,
    declared_in,
    usable_cores,
)
from roster.config.setting import as_text
from tests.support.secret_key import SECRET_KEY

PREFIXES = ("ROSTER_", "DYNAMODB_", "AWS_")
ALL_SETTINGS = (
    *declared_in(Config).values(),
    *declared_in(LimitSettings).values(),
    *declared_in(EmailSettings).values(),
    *DYNAMODB_SETTINGS.values(),
)
SECRETS = [one.variable for one in ALL_SETTINGS if one.is_secret]
# Roster's settings raise the first, those of the extension the second.
ERRORS = (SettingError, ConfigurationError)
SMTP_SERVER = {
    "ROSTER_SMTP_HOST": "smtp.example.com",
    "ROSTER_SMTP_USERNAME": "roster",
    "ROSTER_SMTP_PASSWORD": "a mail password",
    "ROSTER_MAIL_FROM": "Roster <accounts@example.com>",
    "ROSTER_PUBLIC_URL": "https://accounts.example.com",
}

RANGE_URL = "https://breaches.example.com/range/"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Set a secret key and no other setting."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ROSTER_SECRET_KEY", SECRET_KEY)


class TestDefaults:
    def test_special_use_domains(self):
        """Under --local, testers can use .test and .local."""
        assert Config.from_env().email_domains_allowed == ()
        assert Config.from_env(local=True).email_domains_allowed == ("test", "local")

    @pytest.mark.parametrize(
        "attribute, value",
        [
            ("secret_keys", (SECRET_KEY,)),
            ("signup", SignUp.OPEN),
            ("session_idle", timedelta(days=7)),
            ("session_max", timedelta(days=30)),
            ("password_min_length", 15),
            ("workers", usable_cores()),
            ("demo", False),
            ("breach_url", None),
            ("reserved_usernames", ()),
            ("roles", ()),
            ("username_quarantine", timedelta(days=90)),
            ("demo_password", "correct horse battery staple"),
            ("rate_limits", True),
            ("trusted_proxies", ()),
            ("reset_lifetime", timedelta(minutes=10)),
            ("verification_lifetime", timedelta(hours=24)),
            ("require_verified_email", False),
            ("recent_auth", timedelta(minutes=10)),
            ("second_factor", SecondFactorRule.OPTIONAL),
            ("totp_secrets", {}),
            ("email", EmailSettings()),
        ],
    )
    def test_service(self, attribute, value):
        """Without a variable each setting has the documented default."""
        assert getattr(Config.from_env(), attribute) == value

    def test_mail(self):
        """Without a variable no email is sent, and links point to this computer."""
        mail = Config.from_env().email

        assert (mail.smtp_host, mail.folder) == (None, None)
        assert mail.smtp_security is SmtpSecurity.STARTTLS
        assert mail.sender == "roster@localhost"
        assert mail.base_url == "http://127.0.0.1:8080"
        assert mail.public_url == ""

    def test_extension(self):
        """All settings of the extension have defaults, with timeouts for a web service."""
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
            "DYNAMODB_TRANSPORT": "auto",
            "DYNAMODB_DEADLINE_SECONDS": 10.0,
            "DYNAMODB_DEBUG": False,
        }


class TestUsableCores:
    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="CPU affinity needs Linux")
    def test_affinity(self):
        """A process that is restricted to one core has one worker."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        try:
            assert usable_cores() == 1
            assert Config.from_env().workers == 1
        finally:
            os.sched_setaffinity(0, before)

    def test_without_affinity(self, monkeypatch):
        """Without CPU affinity, all cores of the machine count."""
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)

        assert usable_cores() == os.cpu_count()


class TestValues:
    @pytest.mark.parametrize(
        "variable, text, attribute, value",
        [
            ("ROSTER_SIGNUP", "closed", "signup", SignUp.CLOSED),
            ("ROSTER_RESERVED_USERNAMES", "acme,ops", "reserved_usernames", ("acme", "ops")),
            ("ROSTER_ROLES", "billing,team-lead", "roles", ("billing", "team-lead")),
            ("ROSTER_ROLES", "a," + "b" * 32, "roles", ("a", "b" * 32)),
            (
                "ROSTER_EMAIL_DOMAINS_ALLOWED",
                "test,Home.ARPA",
                "email_domains_allowed",
                ("test", "home.arpa"),
            ),
            (
                "ROSTER_SIGNUP_EMAIL_DOMAINS",
                "Example.com,*.b\u00fccher.example,corp.local",
                "signup_email_domains",
                ("example.com", "*.xn--bcher-kva.example", "corp.local"),
            ),
            (
                "ROSTER_SIGNUP_EMAIL_DOMAINS_BLOCKED",
                "b\u00fccher.example",
                "signup_email_domains_blocked",
                ("xn--bcher-kva.example",),
            ),
            ("ROSTER_USERNAME_QUARANTINE", "0s", "username_quarantine", timedelta()),
            ("ROSTER_USERNAME_QUARANTINE", "30d", "username_quarantine", timedelta(days=30)),
            ("ROSTER_BREACH_URL", RANGE_URL, "breach_url", RANGE_URL),
            ("ROSTER_BREACH_URL", "http://[::1]:8/r/", "breach_url", "http://[::1]:8/r/"),
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
            ("ROSTER_FRESH_SIGN_IN", "5m", "recent_auth", timedelta(minutes=5)),
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
        """A variable is parsed into the type of its setting."""
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
        """The email settings are parsed into their types."""
        monkeypatch.setenv(variable, text)

        assert getattr(Config.from_env().email, attribute) == value

    @pytest.mark.parametrize(
        "text, url",
        [("https://a.example/b/", "https://a.example/b"), ("http://127.0.0.1:8080", "")],
    )
    def test_public_url(self, monkeypatch, text, url):
        """The default URL, an address of this computer, is not public."""
        monkeypatch.setenv("ROSTER_PUBLIC_URL", text)

        assert Config.from_env().email.public_url == url

    def test_smtp_server(self, monkeypatch):
        """An SMTP server and its credentials are read together."""
        for name, text in SMTP_SERVER.items():
            monkeypatch.setenv(name, text)
        mail = Config.from_env().email

        assert mail.smtp_host == "smtp.example.com"
        assert (mail.smtp_username, mail.smtp_password) == ("roster", "a mail password")

    @pytest.mark.parametrize("security, port", [("starttls", 587), ("tls", 465), ("none", 25)])
    def test_smtp_port(self, monkeypatch, security, port):
        """RFC 6409, RFC 8314: each kind of encryption has a default port."""
        monkeypatch.setenv("ROSTER_SMTP_SECURITY", security)

        assert Config.from_env().email.smtp_port == port

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
        """Settings of the extension come from variables with the same names."""
        monkeypatch.setenv(variable, text)

        assert Config.from_env().dynamodb[variable] == value

    @pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
    def test_aws_region(self, monkeypatch, variable):
        """The region is read from the variables of AWS."""
        monkeypatch.setenv(variable, "eu-west-3")

        assert Config.from_env().dynamodb["DYNAMODB_REGION"] == "eu-west-3"

    def test_region_precedence(self, monkeypatch):
        """DYNAMODB_REGION takes precedence over AWS_REGION."""
        monkeypatch.setenv("AWS_REGION", "eu-west-3")
        monkeypatch.setenv("DYNAMODB_REGION", "eu-central-1")

        assert Config.from_env().dynamodb["DYNAMODB_REGION"] == "eu-central-1"


class TestVerifiedEmail:
    @pytest.fixture(autouse=True)
    def mail_server(self, monkeypatch):
        """A mail server is set."""
        for variable, value in SMTP_SERVER.items():
            monkeypatch.setenv(variable, value)

    def test_mail_server(self):
        """Where emails can be sent, signing in requires a verified address (H6)."""
        assert Config.from_env().require_verified_email is True

    def test_local(self):
        """In local mode it does not."""
        assert Config.from_env(local=True).require_verified_email is False

    @pytest.mark.parametrize("text, value", [("off", False), ("on", True)])
    def test_explicit(self, monkeypatch, text, value):
        """The setting takes precedence."""
        monkeypatch.setenv("ROSTER_REQUIRE_VERIFIED_EMAIL", text)

        assert Config.from_env().require_verified_email is value
        assert Config.from_env(local=True).require_verified_email is value


class TestRefusals:
    @pytest.mark.parametrize(
        "variable, text",
        [
            ("ROSTER_SECRET_KEY", ""),
            ("ROSTER_SECRET_KEY", "   "),
            ("ROSTER_RESERVED_USERNAMES", "acme,a b"),
            ("ROSTER_ROLES", "billing,Team"),
            ("ROSTER_ROLES", "billing,,owner"),
            ("ROSTER_EMAIL_DOMAINS_ALLOWED", "example.com"),
            ("ROSTER_EMAIL_DOMAINS_ALLOWED", "mytest"),
            ("ROSTER_EMAIL_DOMAINS_ALLOWED", "test,"),
            ("ROSTER_SIGNUP_EMAIL_DOMAINS", "example"),
            ("ROSTER_SIGNUP_EMAIL_DOMAINS", "@example.com"),
            ("ROSTER_SIGNUP_EMAIL_DOMAINS", "*"),
            ("ROSTER_SIGNUP_EMAIL_DOMAINS", "*.*.example.com"),
            ("ROSTER_SIGNUP_EMAIL_DOMAINS_BLOCKED", "*.example.com"),
            ("ROSTER_LIMIT_SIGN_INS", "300"),
            ("ROSTER_LIMIT_SIGN_INS", "0/1m"),
            ("ROSTER_LIMIT_SIGN_INS", "-1/1m"),
            ("ROSTER_LIMIT_SIGN_INS", "300/m"),
            ("ROSTER_LIMIT_SIGN_INS", "300/0s"),
            ("ROSTER_LIMIT_SIGN_INS", "300/2d"),
            ("ROSTER_LIMIT_SIGN_INS", "300/25h"),
            ("ROSTER_LIMIT_SIGN_INS", "1000001/1m"),
            ("ROSTER_LIMIT_SIGN_INS", "1_000/1m"),
            ("ROSTER_LIMIT_SIGN_INS", "300/1m\n"),
            ("ROSTER_LIMIT_SIGN_INS", "\u0663/1m"),
            ("ROSTER_LIMIT_EXEMPT", "office"),
            ("ROSTER_LIMIT_EXEMPT", "0.0.0.0/0"),
            ("ROSTER_LIMIT_EXEMPT", "10.0.0.0/8,::/0"),
            ("ROSTER_LIMIT_EXEMPT", "10.0.0.1/8"),
            ("ROSTER_ROLES", "1st"),
            ("ROSTER_ROLES", "b" * 33),
            ("ROSTER_ROLES", "team_lead"),
            ("ROSTER_ROLES", "billing,billing"),
            ("ROSTER_ROLES", "billing,admin"),
            ("ROSTER_ROLES", "user"),
            ("ROSTER_ROLES", "auditor"),
            ("ROSTER_ROLES", "support"),
            ("ROSTER_ROLES", ",".join(f"role-{number}" for number in range(51))),
            ("ROSTER_USERNAME_QUARANTINE", "soon"),
            ("ROSTER_BREACH_URL", ""),
            ("ROSTER_BREACH_URL", "http://breaches.example.com/range/"),
            ("ROSTER_BREACH_URL", "http://127.0.0.1.example.com/range/"),
            ("ROSTER_BREACH_URL", "http://localhost@example.com/range/"),
            ("ROSTER_BREACH_URL", "https://user:word@example.com/range/"),
            ("ROSTER_BREACH_URL", "https://breaches.example.com/range/?q="),
            ("ROSTER_BREACH_URL", "ftp://breaches.example.com/"),
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
        """An invalid value is rejected at start with the variable's name."""
        monkeypatch.setenv(variable, text)

        with pytest.raises(ERRORS, match=variable):
            create_app(profile=CHEAPEST_PROFILE)

    @pytest.mark.parametrize(
        "given, missing",
        [
            ("DYNAMODB_READ_CAPACITY_UNITS", "DYNAMODB_WRITE_CAPACITY_UNITS"),
            ("DYNAMODB_WRITE_CAPACITY_UNITS", "DYNAMODB_READ_CAPACITY_UNITS"),
        ],
    )
    def test_incomplete_capacity(self, monkeypatch, given, missing):
        """Read and write capacity are set together; the error names the missing one."""
        monkeypatch.setenv(given, "5")

        with pytest.raises(ERRORS, match=missing):
            create_app(profile=CHEAPEST_PROFILE)

    @pytest.mark.parametrize("missing", ["ROSTER_MAIL_FROM", "ROSTER_PUBLIC_URL"])
    def test_smtp_server_without_sender_or_url(self, monkeypatch, missing):
        """Emails that leave this computer need a sender and the public URL of links."""
        for name in SMTP_SERVER.keys() - {missing}:
            monkeypatch.setenv(name, SMTP_SERVER[name])

        with pytest.raises(SettingError, match=f"set {missing} too"):
            Config.from_env()

    @pytest.mark.parametrize("given", ["ROSTER_SMTP_USERNAME", "ROSTER_SMTP_PASSWORD"])
    def test_incomplete_smtp_credentials(self, monkeypatch, given):
        """The username and the password of an SMTP server are set together."""
        monkeypatch.setenv(given, "hunter2")

        with pytest.raises(SettingError, match="ROSTER_SMTP_USERNAME and ROSTER_SMTP_PASSWORD"):
            Config.from_env()

    def test_smtp_password_without_tls(self, monkeypatch):
        """ASVS 12.2.1: a password for the SMTP server requires TLS, and is not in the error."""
        for name, text in {**SMTP_SERVER, "ROSTER_SMTP_SECURITY": "none"}.items():
            monkeypatch.setenv(name, text)

        with pytest.raises(SettingError, match="ROSTER_SMTP_SECURITY") as error:
            Config.from_env()
        assert SMTP_SERVER["ROSTER_SMTP_PASSWORD"] not in str(error.value)

    @pytest.mark.parametrize("text", ["hunter2", "2026=hunter2", ".=hunter2hunter2hunter2"])
    def test_error_does_not_repeat_a_secret(self, monkeypatch, text):
        """ASVS 16.2.5: an error names the variable, but does not repeat a secret."""
        monkeypatch.setenv("ROSTER_TOTP_SECRETS", text)

        with pytest.raises(SettingError) as error:
            Config.from_env()
        assert "hunter2" not in str(error.value)

    def test_all_errors(self, monkeypatch):
        """One error names every invalid variable."""
        for name in ("ROSTER_SESSION_IDLE", "ROSTER_SMTP_PORT", "DYNAMODB_READ_TIMEOUT_SECONDS"):
            monkeypatch.setenv(name, "nonsense")
        monkeypatch.delenv("ROSTER_SECRET_KEY")

        with pytest.raises(SettingError) as error:
            Config.from_env()

        assert set(re.findall(r"[A-Z]+_[A-Z_]+", str(error.value))) == {
            "ROSTER_SESSION_IDLE",
            "ROSTER_SMTP_PORT",
            "DYNAMODB_READ_TIMEOUT_SECONDS",
            "ROSTER_SECRET_KEY",
        }

    @pytest.mark.parametrize(
        "variable, hint",
        [
            ("ROSTER_SIGN_UP", "Did you mean ROSTER_SIGNUP?"),
            ("ROSTER_SECRET_KEY_FIL", "Did you mean ROSTER_SECRET_KEY_FILE?"),
            ("ROSTER_WORKER", "Did you mean ROSTER_WORKERS?"),
            ("ROSTER_SIGNUP_FILE", "Did you mean ROSTER_SIGNUP?"),
            ("ROSTER_XYZ", "`roster config` lists them."),
            ("ROSTER_PORT", "is not a setting"),
            ("DYNAMODB_REGON", "Did you mean DYNAMODB_REGION?"),
            ("DYNAMODB_TABLE_PREFIXES", "Did you mean DYNAMODB_TABLE_PREFIX?"),
            ("DYNAMODB_BINDS", "is not a setting"),
        ],
    )
    def test_unknown_variable(self, monkeypatch, variable, hint):
        """A variable that is not a setting is rejected with the nearest known name."""
        monkeypatch.setenv(variable, "8080")

        with pytest.raises(SettingError, match=f"{variable} is not a setting") as error:
            Config.from_env()
        assert hint in str(error.value)

    @pytest.mark.parametrize(
        "variable, value",
        [
            ("ROSTER_SERVICE_HOST", "10.0.0.1"),
            ("ROSTER_SERVICE_PORT", "8080"),
            ("ROSTER_SERVICE_PORT_HTTP", "8080"),
            ("ROSTER_PORT", "tcp://10.0.0.1:8080"),
            ("ROSTER_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("ROSTER_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("ROSTER_API_SERVICE_HOST", "10.0.0.1"),
            ("ROSTER_API_PORT_8080_TCP_PROTO", "tcp"),
            ("DYNAMODB_SERVICE_HOST", "10.0.0.1"),
            ("DYNAMODB_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ],
    )
    def test_variable_of_service_discovery(self, monkeypatch, variable, value):
        """The variables that Kubernetes sets for services of these names are ignored."""
        monkeypatch.setenv(variable, value)

        assert Config.from_env()

    def test_no_secret_key(self, monkeypatch):
        """The service does not start without a secret key."""
        monkeypatch.delenv("ROSTER_SECRET_KEY")

        with pytest.raises(SettingError, match="ROSTER_SECRET_KEY"):
            create_app()

    def test_demo_users_in_production(self, monkeypatch):
        """Users with a public password are rejected outside local mode (ASVS 6.3.2)."""
        monkeypatch.setenv("ROSTER_DEMO", "1")

        with pytest.raises(SettingError, match="ROSTER_DEMO"):
            Config.from_env()

    @pytest.mark.parametrize(
        "variable", ["ROSTER_SESSION_IDLE", "ROSTER_WORKERS", "DYNAMODB_READ_TIMEOUT_SECONDS"]
    )
    def test_one_line(self, monkeypatch, variable):
        """An error is one line."""
        monkeypatch.setenv(variable, "nonsense")

        with pytest.raises(SettingError) as error:
            Config.from_env()

        assert "\n" not in str(error.value)


def _file_of(folder, text: str) -> str:
    """Write a text to a file and return its path."""
    file = folder / "text"
    file.write_text(text)
    return str(file)


class TestSecretFiles:
    def test_secret(self, monkeypatch, tmp_path):
        """A secret can be in a file, without the whitespace at its ends."""
        file = tmp_path / "key"
        file.write_text(f"  {SECRET_KEY}\n")
        monkeypatch.delenv("ROSTER_SECRET_KEY")
        monkeypatch.setenv("ROSTER_SECRET_KEY_FILE", str(file))

        assert Config.from_env().secret_keys == (SECRET_KEY,)

    def test_parsed_secret(self, monkeypatch, tmp_path):
        """The text of a file is parsed like that of a variable."""
        file = tmp_path / "secrets"
        file.write_text("2026=sixteen-letters=\n")
        monkeypatch.setenv("ROSTER_TOTP_SECRETS_FILE", str(file))

        assert Config.from_env().totp_secrets == {"2026": "sixteen-letters="}

    def test_secret_of_the_extension(self, monkeypatch, tmp_path):
        """A secret of the extension can be in a file, too."""
        file = tmp_path / "key"
        file.write_text("wJalrXUtnFEMI")
        monkeypatch.setenv("DYNAMODB_AWS_SECRET_ACCESS_KEY_FILE", str(file))

        assert Config.from_env().dynamodb["DYNAMODB_AWS_SECRET_ACCESS_KEY"] == "wJalrXUtnFEMI"

    def test_both(self, monkeypatch, tmp_path):
        """A secret in a variable and in a file is ambiguous."""
        file = tmp_path / "key"
        file.write_text("another")
        monkeypatch.setenv("ROSTER_SECRET_KEY_FILE", str(file))

        with pytest.raises(SettingError, match="ROSTER_SECRET_KEY or ROSTER_SECRET_KEY_FILE"):
            Config.from_env()

    @pytest.mark.parametrize("variable", SECRETS)
    @pytest.mark.parametrize(
        "content, reason",
        [
            (b"\xff\xfe", "the file is not UTF-8 text"),
            (b"", "the file is empty"),
            (b" \r\n\t\n", "the file is empty"),
        ],
    )
    def test_faulty_content(self, monkeypatch, tmp_path, variable, content, reason):
        """L1: an empty file, or one that is not text, is one line about that variable alone."""
        file = tmp_path / "secret"
        file.write_bytes(content)
        monkeypatch.delenv("ROSTER_SECRET_KEY")
        monkeypatch.setenv("ROSTER_SECRET_KEY_FILE", _file_of(tmp_path, SECRET_KEY))
        monkeypatch.setenv(f"{variable}_FILE", str(file))

        with pytest.raises(SettingError) as error:
            Config.from_env()
        assert str(error.value).startswith(f"{variable}_FILE: {reason}.")

    @pytest.mark.parametrize("variable", SECRETS)
    @pytest.mark.parametrize(
        "path, reason",
        [
            ("{folder}/missing", "no such file or directory"),
            ("{folder}", "is a directory"),
            ("", "is a directory"),
            ("{folder}/" + "x" * 5000, "file name too long"),
        ],
    )
    def test_unreadable(self, monkeypatch, tmp_path, variable, path, reason):
        """L1: a file that cannot be read is one line that says why, and does not repeat the path.

        The path may be the secret itself, given to the wrong variable.
        """
        monkeypatch.delenv("ROSTER_SECRET_KEY")
        monkeypatch.setenv("ROSTER_SECRET_KEY_FILE", _file_of(tmp_path, SECRET_KEY))
        monkeypatch.setenv(f"{variable}_FILE", path.format(folder=tmp_path))

        with pytest.raises(SettingError) as error:
            Config.from_env()
        assert f"{variable}_FILE must be the path of a readable file: {reason}." in str(error.value)
        assert str(tmp_path) not in str(error.value)
        assert "not set" not in str(error.value)

    @pytest.mark.parametrize("variable", SECRETS)
    def test_every_secret(self, monkeypatch, tmp_path, variable):
        """ASVS 13.3.1: each secret is read from a file like from the variable."""
        [declared] = [one for one in ALL_SETTINGS if one.variable == variable]
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv(f"{variable}_FILE", _file_of(tmp_path, f"{declared.example}\n"))

        assert as_text(declared.read(None)) == declared.example

    def test_error_does_not_repeat_the_file(self, monkeypatch, tmp_path):
        """ASVS 16.2.5: an error about the text of a file does not repeat it."""
        file = tmp_path / "secrets"
        file.write_text("hunter2")
        monkeypatch.setenv("ROSTER_TOTP_SECRETS_FILE", str(file))

        with pytest.raises(SettingError, match="ROSTER_TOTP_SECRETS") as error:
            Config.from_env()
        assert "hunter2" not in str(error.value)


class TestText:
    @pytest.mark.parametrize("variable", [one.variable for one in ALL_SETTINGS])
    def test_example_round_trip(self, monkeypatch, variable):
        """The text of a value is read as the same value."""
        [declared] = [one for one in ALL_SETTINGS if one.variable == variable]
        monkeypatch.setenv(variable, declared.example)
        value = declared.read(None)
        monkeypatch.setenv(variable, as_text(value))

        assert declared.read(None) == value


class TestLocal:
    def test_no_secret_key_needed(self, monkeypatch):
        """Local mode creates a secret key."""
        monkeypatch.delenv("ROSTER_SECRET_KEY")

        assert Config.from_env(local=True).secret_keys == ()

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
        """Secrets are not in the repr of the settings."""
        monkeypatch.setenv(variable, f"X-Key=hunter2-{SECRET_KEY}")

        assert "hunter2" not in repr(Config.from_env())

    def test_totp_secrets_and_smtp_password_are_not_printed(self, monkeypatch):
        """ASVS 16.2.5: TOTP secrets and the SMTP password are not in the repr of the settings."""
        monkeypatch.setenv("ROSTER_TOTP_SECRETS", "2026=hunter2-hunter2-hunter2")
        for name, text in {**SMTP_SERVER, "ROSTER_SMTP_PASSWORD": "hunter2"}.items():
            monkeypatch.setenv(name, text)

        assert "hunter2" not in repr(Config.from_env())

    def test_read_once(self, monkeypatch):
        """A running app does not notice changes of the environment."""
        app = create_app(Config.from_env(), profile=CHEAPEST_PROFILE)
        monkeypatch.setenv("DYNAMODB_TABLE_PREFIX", "other-")

        assert app.config["DYNAMODB_TABLE_PREFIX"] == "roster-"

    def test_reaches_the_app(self, monkeypatch):
        """Settings of the extension and the secret key are in `app.config`."""
        monkeypatch.setenv("DYNAMODB_TABLE_PREFIX", "other-")

        app = create_app(profile=CHEAPEST_PROFILE)

        assert app.config["SECRET_KEY"] == SecretKeys([SECRET_KEY]).derive("cursors")[0]
        assert app.config["DYNAMODB_TABLE_PREFIX"] == "other-"
        assert app.config["MAX_CONTENT_LENGTH"] == 65_536
