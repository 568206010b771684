"""Read the parameters of OAuth requests strictly."""

from urllib.parse import parse_qsl

from flask import request

from api.oauth_errors import OAuthError

FORM = "application/x-www-form-urlencoded"
_MAX_BODY_LENGTH = 65_536
_MAX_PARAMETERS = 32


def read_form() -> dict[str, str]:
    """Return the parameters of a form-encoded body.

    Parameters without a value count as absent, and unknown ones are ignored by the endpoints
    (RFC 6749, section 3.2).

    Raises:
        OAuthError: There is a query string, the body is not a form, or a parameter is repeated.
    """
    # Credentials and tokens in URLs end up in logs (RFC 6749, section 2.3.1).
    if request.query_string:
        raise OAuthError("invalid_request", "Send parameters in the body, not in the URL.")
    if request.mimetype != FORM:
        raise OAuthError("invalid_request", f"The body must be {FORM}.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise OAuthError("invalid_request", "The body must not be compressed.")
    body = request.get_data()
    if len(body) > _MAX_BODY_LENGTH:
        raise OAuthError("invalid_request", "A body has 64 KB (65,536 bytes) at most.", 413)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError:
        raise OAuthError(
            "invalid_request", "The body is not a form in UTF-8, or has too many parameters."
        ) from None
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise OAuthError("invalid_request", "A parameter occurs more than once.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


def required(parameters: dict[str, str], name: str) -> str:
    """Return a parameter.

    Raises:
        OAuthError: It is missing.
    """
    if name not in parameters:
        raise OAuthError("invalid_request", f"The parameter `{name}` is missing.")
    return parameters[name]
