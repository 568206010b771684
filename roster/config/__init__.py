"""The settings: each declared once, read once from the environment, and validated there."""

from roster.config.cores import usable_cores
from roster.config.dynamodb import DYNAMODB_SETTINGS
from roster.config.email import EmailSettings, SmtpSecurity
from roster.config.hooks import read_hooks
from roster.config.limits import LimitSettings
from roster.config.metadata_schema import read_metadata_rules
from roster.config.parsing import SettingError
from roster.config.secret_keys import split_keys
from roster.config.service import DEMO_PASSWORD, Config
from roster.config.setting import Setting, declared_in
from roster.config.token_keys import read_token_keys

__all__ = [
    "DEMO_PASSWORD",
    "DYNAMODB_SETTINGS",
    "Config",
    "EmailSettings",
    "LimitSettings",
    "Setting",
    "SettingError",
    "SmtpSecurity",
    "declared_in",
    "read_hooks",
    "read_metadata_rules",
    "read_token_keys",
    "split_keys",
    "usable_cores",
]
