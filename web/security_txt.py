"""`/.well-known/security.txt`: where to report vulnerabilities (RFC 9116)."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response

PATH = "/.well-known/security.txt"
# RFC 9116 recommends less than a year. The date is computed for each response, so the file of a
# running service never expires.
_VALIDITY = timedelta(days=90)


def add_page(pages: Blueprint, *, contact: str, base_url: str) -> None:
    """Add the file.

    Args:
        pages: The blueprint of the pages.
        contact: The URL of the contact: mailto, https or tel.
        base_url: The public URL of the service.
    """
    lines = [f"Contact: {contact}", "Preferred-Languages: en"]
    # Section 2.5.2: a web URI must be https.
    if base_url.startswith("https://"):
        lines.append(f"Canonical: {base_url}{PATH}")

    def security_txt() -> Response:
        expires = (datetime.now(UTC) + _VALIDITY).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = "\n".join([*lines, f"Expires: {expires}", ""])
        response = Response(text, mimetype="text/plain")
        response.headers["Cache-Control"] = "max-age=86400"
        return response

    pages.add_url_rule(PATH, view_func=security_txt)
