"""The built site: it has no warnings, and its search finds the page that answers a question."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import DOCS

PATIENCE = 180
# What newcomers search for, and the page that has to be the first one found.
FIRST = {
    "accounts": "2FA|API key|MFA|TOTP|email verification|lockout|password reset|second factor"
    "|username",
    "backups": "PITR|backup|disaster recovery|restore",
    "browsers": "401|429|503|CORS|SPA|cookie|cors|localStorage|mobile|refresh token",
    "scope": "Auth0|Cognito|FastAPI-Users|Google|Keycloak|SAML|SSO|magic link|organizations"
    "|passkey|social login|webhooks",
    "clients": "Retry-After|SDK|TypeScript|client library|npm|wheel",
    "configuration": "environment variables|secret key|settings",
    "contributing": "contributing",
    "costs": "cost|dollars|price|pricing",
    "custom-fields": "custom fields|metadata|permissions|plan",
    "deployment": "AWS|CloudFormation|ECS|Fargate|Kubernetes|Lambda|Terraform|deploy|load balancer",
    "how-to/index": "examples|recipes|use cases",
    "how-to/email-login": "consumer app|email login",
    "how-to/community": "community|forum|impersonation",
    "how-to/invitations": "B2B|invite-only",
    "how-to/internal-tool": "back office|help desk|internal tool",
    "how-to/several-services": "RBAC",
    "how-to/single-page-app": "frontend|single-page app",
    "how-to/mobile-app": "Android|iOS|lost phone|stay signed in",
    "how-to/moving-in": "existing users|legacy passwords",
    "how-to/plans": "SaaS|Stripe|subscription",
    "how-to/office": "NAT|school|university",
    "how-to/own-rules": "sign-up rule|waiting list",
    "how-to/machines": "M2M|cron job|server to server",
    "getting-started": "OpenAPI|Windows|install|macOS",
    "hooks": "hooks|signals|extend",
    "import": "Django|Firebase|bcrypt|import|migrate",
    "invitations": "invitation|invitations|invite users",
    "mail": "SES|SMTP|email|language|template",
    "operations": "IAM|Prometheus|access log|export|first admin|health check|logs|metrics|nginx",
    "pages": "GDPR|admin UI|branding|console|login page|logo",
    "roles": "roles|auditor|support",
    "search": "search|find users|prefix",
    "security": "password rules|rate limit|session",
    "security-policy": "vulnerability",
    "services": "JWT|JWKS|OAuth|gateway|introspection|middleware|verify token",
    "upgrading": "roadmap|semantic versioning|upgrade|versions",
}
QUERIES = {query: page for page, queries in FIRST.items() for query in queries.split("|")}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Build the site; return its folder and the warnings."""
    site = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(DOCS), str(site)],
        # Sphinx runs for a minute if coverage is measured in it.
        env={name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return site, built.stderr if built.returncode else ""


class TestSite:
    def test_builds_without_a_warning(self, build):
        """`make docs` succeeds."""
        site, warnings = build

        assert warnings == ""
        assert (site / "index.html").is_file()

    def test_every_page_is_in_the_contents(self, build):
        """Each page is in the table of contents of the front page."""
        contents = re.search(
            r'<div class="sidebar-tree">.*?</div>', read(build, "index.html"), re.S
        )
        paths = [*DOCS.glob("*.md"), *DOCS.glob("how-to/*.md")]
        pages = {str(path.relative_to(DOCS).with_suffix("")) for path in paths} - {"index"}

        assert {page for page in pages if f'href="{page}.html"' not in contents[0]} == set()

    def test_search(self, build):
        """Each of these words finds the page that answers the question first."""
        site, _ = build
        answer = subprocess.run(
            ["node", str(Path(__file__).with_name("search.mjs")), str(site), *QUERIES],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

        assert answer.returncode == 0, answer.stderr
        found = json.loads(answer.stdout)
        assert {query: (found[query] or [None])[0] for query in QUERIES} == QUERIES

    def test_commands_can_be_copied(self, build):
        """A copied console session has its commands only, without prompts and output."""
        session = "$ docker run \\\n    roster\nstarted\n$ roster --version\nroster 0.7.0\n"
        script = read(build, "_static/copybutton.js")
        functions = script[
            script.index("function escapeRegExp") : script.index("var copyTargetText")
        ]
        call = re.search(r"return (formatCopyText\(text, .*\))", script)[1]
        program = f"const text = {json.dumps(session)};{functions};process.stdout.write({call})"
        answer = subprocess.run(["node", "-e", program], capture_output=True, text=True)

        assert answer.stdout == "docker run \\\n    roster\nroster --version"


def read(build: tuple[Path, str], name: str) -> str:
    return (build[0] / name).read_text()
