"""Build the services from the settings. The only place where the parts of the domain are wired."""

from collections.abc import Iterator
from contextlib import contextmanager

from models import (
    OWASP_PROFILE,
    AccessRules,
    AccessTokens,
    AccountEmails,
    AccountMailer,
    Accounts,
    ApiKeys,
    Background,
    EmailDomains,
    EmailVerification,
    FixedSigningKeys,
    Hooks,
    Idempotency,
    Introspection,
    Invitations,
    KeyRotation,
    KnownRoles,
    Lifetimes,
    LoginLookup,
    MergedEvents,
    NameMoves,
    OAuthClients,
    PasswordHasher,
    PasswordPolicy,
    PasswordService,
    Profile,
    SecondFactorRule,
    SecondFactors,
    SecretKeys,
    Services,
    SessionService,
    SigningKeys,
    SigningKeySource,
    Statistics,
    Totp,
    UsernameRules,
    UserSearch,
    db,
)
from roster import migrations as migrations  # declares them
from roster.breach_range import BreachRange
from roster.config import (
    DEMO_PASSWORD,
    Config,
    SettingError,
    read_hooks,
    read_metadata_rules,
    read_token_keys,
    usable_cores,
)
from roster.email import Product, build_mailer


@contextmanager
def open_services(config: Config, *, profile: Profile = OWASP_PROFILE) -> Iterator[Services]:
    """Build the services and bind the tables to the database of the settings.

    For commands and workers: inside the `with` block of one thread, no web app is needed.

    Args:
        config: The settings.
        profile: The cost of password hashes; only tests choose another one.

    Raises:
        ConfigurationError: The settings of the database contradict each other.
    """
    with db.standalone(config.for_database()).context():
        services = build_services(config, profile=profile)
        try:
            yield services
        finally:
            # While the database can be reached.
            services.background.drain()


def product_of(config: Config) -> Product:
    """Return what emails say about the product.

    Raises:
        SettingError: The folder of templates does not exist.
    """
    if config.templates and not config.templates.is_dir():
        raise SettingError(f"ROSTER_TEMPLATES: {config.templates} is not a folder.")
    color = config.colors[0] if config.colors else Product.color
    return Product(config.name, color, config.support_url, config.language, config.templates)


def build_services(config: Config, *, profile: Profile = OWASP_PROFILE) -> Services:
    """Build the services from the settings; no web app is needed.

    Args:
        config: The settings.
        profile: The cost of password hashes; only tests choose another one.

    Raises:
        SettingError: A folder or a file of the settings does not exist, or is not accepted.
    """
    cores_per_worker = max(1, usable_cores() // config.workers)
    hasher = PasswordHasher(profile, threads=cores_per_worker)
    # The published password of the demo users is on the lists of attackers.
    exempt = (DEMO_PASSWORD,) if config.demo or config.is_local else ()
    policy = PasswordPolicy(
        config.password_min_length,
        service_name=config.name,
        exempt=exempt,
        is_known_breach=BreachRange(config.breach_url) if config.breach_url else None,
    )
    secret_keys = SecretKeys(config.secret_keys)
    logins = LoginLookup(secret_keys.derive("unknown logins")[0])
    idempotency = Idempotency(secret_keys)
    background = Background()
    metadata = read_metadata_rules(config.metadata_schema)
    hooks = Hooks(
        read_hooks(config.hooks), module=config.hooks, limit=config.hook_limit, metadata=metadata
    )
    mailer = AccountMailer(build_mailer(config.email, product_of(config)), background)
    merged_events = MergedEvents(background)
    statistics = Statistics(background)
    emails = AccountEmails(mailer, logins, merged_events, quota=config.limits.emails)
    email_verification = EmailVerification(emails, hasher, config.verification_lifetime, hooks)
    totp = Totp(config.secret_keys, config.name, legacy_secrets=config.totp_secrets)
    second_factors = SecondFactors(totp, mailer)
    sessions = SessionService(
        hasher,
        Lifetimes(idle=config.session_idle, total=config.session_max),
        second_factors=second_factors,
        mailer=mailer,
        logins=logins,
        requires_verified_email=config.require_verified_email,
        statistics=statistics,
        hooks=hooks,
    )
    roles = KnownRoles(config.roles)
    api_keys = ApiKeys(mailer, idempotency, roles)
    clients = OAuthClients(idempotency=idempotency)
    signing_keys = _signing_keys(config, background)
    access_tokens = AccessTokens(
        signing_keys, clients, issuer=config.token_issuer, lifetime=config.token_lifetime
    )
    usernames = UsernameRules(
        (*config.reserved_usernames, *config.roles),
        config.username_quarantine,
        config.username_mode,
    )
    accounts = Accounts(
        hasher,
        policy,
        email_verification,
        verifies_new_users=config.require_verified_email,
        security_email=config.email.security_email,
        usernames=usernames,
        metadata=metadata,
        idempotency=idempotency,
        statistics=statistics,
        roles=roles,
        domains=EmailDomains(
            config.email_domains_allowed,
            config.signup_email_domains,
            config.signup_email_domains_blocked,
        ),
        search=UserSearch(is_on=config.search),
        hooks=hooks,
    )
    return Services(
        accounts=accounts,
        name_moves=NameMoves(email_verification, usernames, idempotency, hooks),
        sessions=sessions,
        passwords=PasswordService(hasher, policy, emails, sessions, config.reset_lifetime, hooks),
        email_verification=email_verification,
        second_factors=second_factors,
        api_keys=api_keys,
        clients=clients,
        invitations=Invitations(
            accounts,
            config.invitation_lifetime,
            requires_second_factor=config.second_factor is SecondFactorRule.ADMINS,
            idempotency=idempotency,
        ),
        introspection=Introspection(
            sessions,
            api_keys,
            access_tokens,
            clients,
            requires_second_factor=config.second_factor is SecondFactorRule.ADMINS,
            roles=roles,
        ),
        access_tokens=access_tokens,
        signing_keys=signing_keys,
        key_rotation=KeyRotation(totp, signing_keys),
        merged_events=merged_events,
        statistics=statistics,
        background=background,
        hooks=hooks,
        rules=AccessRules(
            signup=config.signup,
            second_factor=config.second_factor,
            roles=roles,
            recent_auth=config.recent_auth,
            failed_sign_in_time=config.failed_sign_in_time,
            verifies_addresses=mailer.is_configured,
        ),
    )


def _signing_keys(config: Config, background: Background) -> SigningKeySource:
    if config.token_keys_file is not None:
        return FixedSigningKeys(read_token_keys(config.token_keys_file))
    # A weak older key may have been guessed: a key sealed with it could be anyone's.
    return SigningKeys(config.strong_keys, config.token_algorithm, background)
