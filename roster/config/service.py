"""The settings of the service, read once when a process starts."""

import os
import re
from dataclasses import MISSING, dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from models import (
    MAX_TOKEN_LIFETIME,
    SHORTEST_PASSWORD_MIN_LENGTH,
    SecondFactorRule,
    SecretKeys,
    SignUp,
    TokenAlgorithm,
    UsernameMode,
)
from roster.config.branding import colors, logo, support_url
from roster.config.cores import usable_cores
from roster.config.dynamodb import DYNAMODB_SETTINGS, read_dynamodb
from roster.config.email import EmailSettings, read_email
from roster.config.limits import LimitSettings, read_limits
from roster.config.parsing import (
    SettingError,
    app_urls,
    choice,
    domains,
    duration,
    file_path,
    integer,
    issuer,
    matches,
    module_name,
    networks,
    not_empty,
    origins,
    pairs,
    range_url,
    roles,
    switch,
    text,
    usernames,
)
from roster.config.secret_keys import CREATE_KEY, secret_keys, weakness
from roster.config.secrets_manager import is_reference
from roster.config.setting import Setting, declared_in, read_all, setting
from roster.observability.logs import LogFormat
from web.languages import LANGUAGES, SOURCE

_PREFIXES = ("ROSTER_", "DYNAMODB_")
# Kubernetes and Docker describe a service called `roster` in variables like ROSTER_PORT,
# and one called `dynamodb` likewise.
_OF_SERVICE_DISCOVERY = re.compile(
    r"(ROSTER|DYNAMODB)_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_\w+)?)"
)


# Documented, so that the first sign-in needs no search. Only `--local` accepts it.
DEMO_PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Config:
    """The settings of one service."""

    secret_keys: tuple[str, ...] = setting(
        "ROSTER_SECRET_KEY",
        secret_keys(),
        MISSING,
        example="the-new-key,the-old-key",
        meaning="One random value of 32 bytes or more, or several, separated by commas or line"
        " breaks: the keys of each use are derived from them. The first one signs and seals, the"
        " others still verify and open. Required, except under `--local`, which creates one in the"
        " data folder. See [secret keys](#secret-keys).",
        is_secret=True,
    )
    name: str = setting(
        "ROSTER_NAME",
        text(
            matches(
                # Characters that could end a header, hide text or change its direction.
                r"[^\s\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff:]"
                r"([^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff:]{0,49})",
                "must be 1 to 50 printable characters without a colon",
            )
        ),
        "Roster",
        example="Acme",
        meaning="The name of the product in pages, emails and authenticator apps: up to 50"
        " characters, without a colon. A password must not consist of it.",
    )
    logo: str | Path | None = setting(
        "ROSTER_LOGO",
        logo(),
        None,
        example="https://www.example.com/logo.svg",
        meaning="The logo of the pages, instead of the name: {allowed} of at most 100 KB, SVG, PNG,"
        " JPEG or WebP, which the service then serves itself. It must be readable on white and on"
        " black. See [branding](pages.md#branding).",
    )
    colors: tuple[str, ...] = setting(
        "ROSTER_COLOR",
        colors(),
        (),
        example="#0b57d0,#9cc2ff",
        meaning="The color of links and buttons on light pages and in emails, and after a comma the"
        " one on dark pages, which is otherwise a lighter one of the same hue. A color without the"
        " contrast of WCAG 2.2 AA, 4.5:1, is rejected.",
    )
    support_url: str | None = setting(
        "ROSTER_SUPPORT_URL",
        support_url(),
        None,
        example="https://help.example.com",
        meaning="Where users get help, for a link in all pages and emails: {allowed}.",
    )
    language: str = setting(
        "ROSTER_LANGUAGE",
        choice(LANGUAGES),
        SOURCE,
        example="de",
        meaning="The language of emails to users without one of these languages, and of their"
        " pages if the browser prefers none of these either:"
        " {allowed}. See [languages](pages.md#languages).",
    )
    templates: Path | None = setting(
        "ROSTER_TEMPLATES",
        file_path(),
        None,
        example="/etc/roster/templates",
        meaning="A folder with templates that take the place of those of pages and emails. See"
        " [templates](pages.md#templates).",
    )
    app_urls: tuple[str, ...] = setting(
        "ROSTER_APP_URL",
        app_urls(),
        (),
        example="https://app.example.com",
        meaning="The application that people return to after signing in, instead of their account"
        " page. Several URLs are separated by commas: the first is the default, and a link to"
        " `/sign-in?next=` may name each of them and whatever is below it.",
    )
    signup: SignUp = setting(
        "ROSTER_SIGNUP",
        choice(SignUp),
        SignUp.OPEN,
        example="closed",
        meaning="Who may create users: {allowed}. `closed` is for admins only.",
    )
    roles: tuple[str, ...] = setting(
        "ROSTER_ROLES",
        roles(),
        (),
        example="billing,team-lead",
        meaning="Roles for other services, separated by commas, beside the built-in `admin`,"
        " `user`, `auditor` and `support`: up to 50, each of up to 32 letters (a-z), digits and"
        " hyphens. They allow nothing in this service. See [roles](roles.md).",
    )
    email_domains_allowed: tuple[str, ...] = setting(
        "ROSTER_EMAIL_DOMAINS_ALLOWED",
        domains(special_use=True),
        (),
        example="test,local,home.arpa",
        meaning="Special-use domains that addresses of users may have, with their subdomains,"
        " separated by commas: {allowed}. No mail server in the Internet has one, so others are"
        " rejected.",
        default_text="none; `test,local` under `--local`",
    )
    signup_email_domains: tuple[str, ...] = setting(
        "ROSTER_SIGNUP_EMAIL_DOMAINS",
        domains(subdomains=True),
        (),
        example="example.com,*.example.com",
        meaning="The only domains of addresses that users may sign up with, separated by commas:"
        " `example.com` without its subdomains, `*.example.com` for them. See"
        " [email domains](accounts.md#email-domains).",
        default_text="all",
    )
    signup_email_domains_blocked: tuple[str, ...] = setting(
        "ROSTER_SIGNUP_EMAIL_DOMAINS_BLOCKED",
        domains(),
        (),
        example="mailinator.com,example.net",
        meaning="Domains of addresses that users may not sign up with, with their subdomains,"
        " separated by commas. They take precedence over the allowed ones.",
    )
    breach_url: str | None = setting(
        "ROSTER_BREACH_URL",
        range_url(),
        None,
        example="https://api.pwnedpasswords.com/range/",
        meaning='A service that new passwords are looked up in, by the range search of "Have I Been'
        ' Pwned": five digits of a digest leave the service. {allowed}. See'
        " [password rules](security.md#password-rules).",
    )
    username_mode: UsernameMode = setting(
        "ROSTER_USERNAMES",
        choice(UsernameMode),
        UsernameMode.OPTIONAL,
        example="off",
        meaning="Whether accounts have a username beside the email address: {allowed}. With"
        " `optional` a user can go without one, with `off` no user gets one. See"
        " [usernames](accounts.md#usernames).",
    )
    reserved_usernames: tuple[str, ...] = setting(
        "ROSTER_RESERVED_USERNAMES",
        usernames(),
        (),
        example="acme,billing-team",
        meaning="Further usernames that only admins may assign, separated by commas. See"
        " [reserved usernames](security.md#usernames).",
    )
    username_quarantine: timedelta = setting(
        "ROSTER_USERNAME_QUARANTINE",
        duration(timedelta(0)),
        timedelta(days=90),
        example="30d",
        meaning="How long a username is not available to other users after a user has changed it or"
        " was deleted: {allowed}.",
    )
    metadata_schema: Path | None = setting(
        "ROSTER_METADATA_SCHEMA",
        file_path(),
        None,
        example="/etc/roster/metadata.schema.json",
        meaning="A file with a JSON Schema (draft 2020-12) of an object whose properties are"
        " `metadata` and `app_metadata`; it is read at the start. See"
        " [a schema](custom-fields.md#a-schema).",
    )
    search: bool = setting(
        "ROSTER_SEARCH",
        switch(),
        True,
        example="off",
        meaning="Whether users are found by the beginning of their names and addresses: {allowed}."
        " `off` saves two write units for each term of a new user; after a change, run"
        " the [migration](search.md#existing-users) again. See [search](search.md).",
    )
    hooks: str | None = setting(
        "ROSTER_HOOKS",
        module_name(),
        None,
        example="acme.roster_hooks",
        meaning="A Python module whose functions are called before and after registration, sign-in"
        " and update; it is imported at the start, and never from the working directory. See"
        " [hooks](hooks.md).",
    )
    hook_limit: timedelta = setting(
        "ROSTER_HOOK_SECONDS",
        duration(timedelta(seconds=1), timedelta(seconds=10)),
        timedelta(seconds=2),
        example="1s",
        meaning="How long a function of `ROSTER_HOOKS` may take: {allowed}.",
    )
    session_idle: timedelta = setting(
        "ROSTER_SESSION_IDLE",
        duration(),
        timedelta(days=7),
        example="12h",
        meaning="The lifetime of a session without requests: {allowed}.",
    )
    session_max: timedelta = setting(
        "ROSTER_SESSION_MAX",
        duration(),
        timedelta(days=30),
        example="90d",
        meaning="The lifetime of a session in total: {allowed}.",
    )
    password_min_length: int = setting(
        "ROSTER_PASSWORD_MIN_LENGTH",
        integer(SHORTEST_PASSWORD_MIN_LENGTH, 128),
        15,
        example="12",
        meaning="The minimum length of new passwords, in characters: {allowed}. Existing passwords"
        " stay valid.",
    )
    require_verified_email: bool = setting(
        "ROSTER_REQUIRE_VERIFIED_EMAIL",
        switch(),
        False,
        example="off",
        meaning="Whether signing in requires a verified email address: {allowed}. With `on`, every"
        " new user is sent a verification email, so [emails](#emails) must be configured. Without"
        " it, a user can register the address of another person and use the account.",
        default_text="`on` with `ROSTER_SMTP_HOST`, `off` under `--local`",
    )
    verification_lifetime: timedelta = setting(
        "ROSTER_VERIFICATION_LIFETIME",
        duration(),
        timedelta(hours=24),
        example="3d",
        meaning="The lifetime of a token to verify an email address: {allowed}.",
    )
    reset_lifetime: timedelta = setting(
        "ROSTER_RESET_LIFETIME",
        # Long enough to find the email, short enough to limit a stolen token.
        duration(timedelta(minutes=10), timedelta(hours=1)),
        timedelta(minutes=10),
        example="30m",
        meaning="The lifetime of a token to reset a password: {allowed}.",
    )
    invitation_lifetime: timedelta = setting(
        "ROSTER_INVITATION_LIFETIME",
        duration(timedelta(minutes=10), timedelta(days=90)),
        timedelta(days=7),
        example="14d",
        meaning="How long an [invitation](invitations.md) can be accepted: {allowed}.",
    )
    recent_auth: timedelta = setting(
        "ROSTER_FRESH_SIGN_IN",
        duration(),
        timedelta(minutes=10),
        example="5m",
        meaning="How long after authentication sensitive changes are allowed without"
        " reauthentication: {allowed}.",
    )
    second_factor: SecondFactorRule = setting(
        "ROSTER_SECOND_FACTOR",
        choice(SecondFactorRule),
        SecondFactorRule.OPTIONAL,
        example="admins",
        meaning="Who must have a second factor: {allowed}. With `optional` no user has to; with"
        " `admins`, admins, support and auditors cannot use their rights without.",
    )
    totp_secrets: dict[str, str] = setting(
        "ROSTER_TOTP_SECRETS",
        pairs(
            "must be pairs of a tag and a secret, as in 2026=k3y...,2027=x9z... A secret has 16"
            " characters or more.",
            key=r"[A-Za-z0-9][A-Za-z0-9._-]*",
            min_length=16,
        ),
        dict,
        example="2026=a-long-random-value-7c1f9a",
        meaning="Deprecated. The keys that encrypted second factors in version 0.6 and earlier, by"
        " tag: `tag=secret`, separated by commas; 16 characters or more each. They are only used"
        " to open those. See [secret keys](#secret-keys).",
        is_secret=True,
    )
    issuer: str | None = setting(
        "ROSTER_ISSUER",
        issuer(),
        None,
        example="https://accounts.example.com",
        meaning="The `iss` of [access tokens](services.md#verify-signed-tokens), which services"
        " compare to the letter: {allowed}. A change makes all valid tokens void.",
        default_text="value of `ROSTER_PUBLIC_URL`",
    )
    token_lifetime: timedelta = setting(
        "ROSTER_TOKEN_LIFETIME",
        duration(timedelta(minutes=1), MAX_TOKEN_LIFETIME),
        timedelta(minutes=5),
        example="10m",
        meaning="How long an access token is valid, whatever happens to its session: {allowed}.",
    )
    token_algorithm: TokenAlgorithm = setting(
        "ROSTER_TOKEN_ALG",
        choice(TokenAlgorithm),
        TokenAlgorithm.RS256,
        example="ES256",
        meaning="How access tokens are signed: {allowed}. Every gateway and library verifies"
        " `RS256`; tokens with `ES256` are shorter. After a change, the next key signs 24 hours"
        " later. It must be the same on every host.",
    )
    token_keys_file: Path | None = setting(
        "ROSTER_TOKEN_KEYS_FILE",
        file_path(),
        None,
        example="/run/secrets/token-keys.json",
        meaning="A private JWKS with the keys of access tokens, instead of those in the database;"
        " it is read at the start. The first key signs, all of them are published;"
        " `ROSTER_TOKEN_ALG` has no effect. It must be the same on every host. See"
        " [keys in a file](operations.md#keys-in-a-file).",
    )
    failed_sign_in_time: timedelta = setting(
        "ROSTER_FAILED_SIGN_IN_TIME",
        duration(timedelta(0), timedelta(seconds=5)),
        timedelta(seconds=1),
        example="2s",
        meaning="How long a failed sign-in takes at least: {allowed}. So the time does not reveal"
        " accounts with [imported hashes](import.md#time-of-failed-sign-ins), which take longer to"
        " verify. No thread waits meanwhile.",
    )
    rate_limits: bool = setting(
        "ROSTER_RATE_LIMITS",
        switch(),
        True,
        example="off",
        meaning="Whether requests are limited by route and client: {allowed}. `off` is for a"
        " service behind a gateway that limits requests, and for load tests; accounts are still"
        " locked out after wrong passwords.",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "ROSTER_TRUSTED_PROXIES",
        networks(),
        (),
        example="10.0.0.0/8,192.0.2.7",
        meaning="Addresses and networks of proxies, separated by commas. The client address in"
        " `X-Forwarded-For` is used for requests from there, and ignored for all others.",
    )
    cors_origins: tuple[str, ...] = setting(
        "ROSTER_CORS_ORIGINS",
        origins(),
        (),
        example="https://app.example.com,http://localhost:3000",
        meaning="Origins whose pages may call the API from a browser, separated by commas: scheme,"
        " host and port, without a path.",
    )
    workers: int = setting(
        "ROSTER_WORKERS",
        integer(1, 256),
        usable_cores,
        example="4",
        meaning="Processes of `roster serve`: {allowed}. The option `--workers` takes precedence.",
        default_text="number of usable cores",
    )
    log_format: LogFormat = setting(
        "ROSTER_LOG_FORMAT",
        choice(LogFormat),
        LogFormat.JSON,
        example="text",
        meaning="How lines of the [log](operations.md#logs) are written: {allowed}. `json` is for"
        " programs, `text` for readers.",
        default_text="`json`; `text` under `--local`",
    )
    access_log: bool = setting(
        "ROSTER_ACCESS_LOG",
        switch(),
        False,
        example="on",
        meaning="Whether each response is a line of the log, with its route, time and calls to the"
        " database: {allowed}. See [access log](operations.md#access-log).",
    )
    metrics_port: int | None = setting(
        "ROSTER_METRICS_PORT",
        integer(1, 65535),
        None,
        example="9464",
        meaning="The port of [metrics](operations.md#metrics) for Prometheus, at `/metrics`:"
        " {allowed}. Without it there are none.",
    )
    metrics_host: str = setting(
        "ROSTER_METRICS_HOST",
        text(not_empty()),
        "127.0.0.1",
        example="10.0.0.7",
        meaning="The address that serves the metrics. Whoever reaches it can read them without"
        " authentication; they have no data of users.",
    )
    keep_alive: timedelta = setting(
        "ROSTER_KEEP_ALIVE",
        duration(timedelta(seconds=1), timedelta(hours=1)),
        timedelta(seconds=75),
        example="2m",
        meaning="How long an idle connection is kept open, and the deadline for the header fields"
        " of a request: {allowed}. It must be longer than the idle timeout of the load balancer.",
    )
    body_timeout: timedelta = setting(
        "ROSTER_BODY_SECONDS",
        duration(timedelta(seconds=1), timedelta(minutes=5)),
        timedelta(seconds=10),
        example="20s",
        meaning="The deadline for the body of a request, after which the response is `408`:"
        " {allowed}.",
    )
    queue_timeout: timedelta = setting(
        "ROSTER_QUEUE_SECONDS",
        duration(timedelta(seconds=1), timedelta(minutes=5)),
        timedelta(seconds=5),
        example="8s",
        meaning="How long a request may wait for a thread, after which the response is `503`"
        " [`busy`](errors.md#busy): {allowed}.",
    )
    max_connections: int = setting(
        "ROSTER_MAX_CONNECTIONS",
        integer(16, 100_000),
        4096,
        example="10000",
        meaning="Open connections of each worker, including idle ones: {allowed}. Further ones wait"
        " to be accepted.",
    )
    demo: bool = setting(
        "ROSTER_DEMO",
        switch(),
        False,
        example="off",
        meaning="Whether `roster serve --local` creates the demo users john and jane: {allowed}."
        " Without `--local`, `on` is rejected.",
        default_text="`on` under `--local`",
    )
    demo_password: str = setting(
        "ROSTER_DEMO_PASSWORD",
        text(not_empty()),
        DEMO_PASSWORD,
        example="a lantern beside the old mill",
        meaning="The password of new demo users; any but the default must satisfy the password"
        " rules.",
        default_text="`correct horse battery staple`",
        is_secret=True,
    )
    engine: str | None = setting(
        "DYNAMODB_ENGINE",
        text(not_empty()),
        None,
        example="/opt/dynoxide/dynoxide",
        meaning="The binary of the local engine for `--local` and the tests, instead of the one"
        " that npm installs.",
    )
    docs: bool = setting(
        "ROSTER_DOCS",
        switch(),
        True,
        example="off",
        meaning="Whether `/docs` and the OpenAPI documents are served: {allowed}. With `off` their"
        " URLs do not exist.",
    )
    # Not a setting of the environment: whether this is `roster serve --local`.
    is_local: bool = False
    email: EmailSettings = field(default_factory=EmailSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    # By the keys of `app.config`.
    dynamodb: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_env(cls, *, local: bool = False) -> "Config":
        """Read the environment.

        Args:
            local: Whether this is `roster serve --local`, which may have demo users and creates
                its own secret key, endpoint and credentials.

        Raises:
            SettingError: Variables are missing, unknown or invalid; the text names all of them.
        """
        errors = _unknown_variables()
        email_errors: list[str] = []
        email = read_email(email_errors)
        values = read_all(
            declared_in(cls),
            errors,
            secret_keys=(),
            demo=local,
            log_format=LogFormat.TEXT if local else LogFormat.JSON,
            # Where testers use them, and no email leaves this computer.
            email_domains_allowed=("test", "local") if local else (),
            require_verified_email=email["smtp_host"] is not None and not local,
        )
        errors += email_errors
        limits = read_limits(errors)
        dynamodb = read_dynamodb(errors)
        if not local:
            errors += _faulty_secret_key(declared_in(cls)["secret_keys"], values["secret_keys"])
        if values["demo"] and not local:
            errors.append(
                "ROSTER_DEMO creates users with a public password: it is for"
                " `roster serve --local` only. Unset it."
            )
        if errors:
            raise SettingError(" ".join(errors))
        return cls(**values, email=EmailSettings(**email), limits=limits, dynamodb=dynamodb)

    @property
    def token_issuer(self) -> str:
        """The `iss` of access tokens."""
        return self.issuer or self.email.base_url

    @property
    def strong_keys(self) -> list[str]:
        """The secret keys that sign and verify, the current one first."""
        # A weak key may have been guessed: it still opens second factors, but verifies nothing.
        older = [key for key in self.secret_keys[1:] if not weakness(key)]
        return [*self.secret_keys[:1], *older]

    def for_flask(self) -> dict[str, Any]:
        """Return the keys that Flask and its extensions read."""
        # Flask's own keys sign nothing but cursors.
        keys = SecretKeys(self.strong_keys).derive("cursors")
        return {
            "SECRET_KEY": keys[0] if keys else None,
            "SECRET_KEY_FALLBACKS": keys[1:],
            "MAX_CONTENT_LENGTH": 64 * 1024,
            # RESTX lets clients prune responses by a header, and fails with 500 on a bad one.
            "RESTX_MASK_HEADER": "",
            "RESTX_MASK_SWAGGER": False,
            "RESTX_INCLUDE_ALL_MODELS": False,
            # For migrations.
            "ROSTER_SEARCH": self.search,
            **self.for_database(),
        }

    def for_database(self) -> dict[str, Any]:
        """Return the settings of `flask_pynamodb`, by their keys in `app.config`."""
        # No route scans a table.
        return {"DYNAMODB_ALLOW_SCAN": False, **self.dynamodb}

    def by_setting(self) -> list[tuple[Setting, Any]]:
        """Return every setting with its value, in the order of the documentation."""
        return [
            *((one, getattr(self, name)) for name, one in declared_in(Config).items()),
            *(
                (one, getattr(self.limits, name))
                for name, one in declared_in(LimitSettings).items()
            ),
            *((one, getattr(self.email, name)) for name, one in declared_in(EmailSettings).items()),
            *((one, self.dynamodb.get(key)) for key, one in DYNAMODB_SETTINGS.items()),
        ]


def _faulty_secret_key(declared: Setting, keys: tuple[str, ...]) -> list[str]:
    """Return the errors of the current secret key, outside of local mode."""
    if keys:
        reason = weakness(keys[0])
        which = f"The first of {len(keys)} keys in" if len(keys) > 1 else "The key in"
        fault = f"{which} {declared.variable} {reason}." if reason else ""
    elif declared.source == declared.file_variable or is_reference(
        os.environ.get(declared.variable, "")
    ):
        # Reading the file or the secret has failed.
        return []
    else:
        fault = f"{declared.variable} is not set."
    advice = f" Create a key, and use it on every host: {CREATE_KEY}."
    return [fault + advice] if fault else []


def _unknown_variables() -> list[str]:
    declared = (
        *declared_in(Config).values(),
        *declared_in(LimitSettings).values(),
        *declared_in(EmailSettings).values(),
        *DYNAMODB_SETTINGS.values(),
    )
    known = [name for one in declared for name in (one.variable, one.file_variable) if name]
    errors = []
    for name in sorted(os.environ):
        if name.startswith(_PREFIXES) and name not in known and not _describes_a_service(name):
            nearest = get_close_matches(name, known, n=1, cutoff=0.75)
            hint = f"Did you mean {nearest[0]}?" if nearest else "`roster config` lists them."
            errors.append(f"{name} is not a setting. {hint}")
    return errors


def _describes_a_service(name: str) -> bool:
    if not _OF_SERVICE_DISCOVERY.fullmatch(name):
        return False
    # ROSTER_PORT itself holds a URL there; a plain number is a mistake of the operator.
    return "SERVICE" in name or "://" in os.environ[name] or re.search(r"PORT_\d", name) is not None
