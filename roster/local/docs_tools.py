"""What Swagger UI offers in local mode: demo users to sign in as, and the mailbox."""

from api.docs_page import LocalTools
from roster.config import Config
from roster.local.demo import demo_logins
from roster.local.loopback import is_local_request
from roster.local.mailbox import PATH


def build(config: Config) -> LocalTools:
    """Return the tools for requests from the same computer: the demo password is for it alone."""
    return LocalTools(
        is_allowed=is_local_request,
        demo_users=tuple(demo_logins(config)) if config.demo else (),
        demo_password=config.demo_password if config.demo else None,
        mailbox=PATH if config.email.folder is not None else None,
    )
