"""The metadata documents (RFC 8414): what there is, and nothing else."""

import pytest

from api.oauth.metadata import PATHS
from models import ClientScope


@pytest.fixture
def read(make_app):
    """Return a function that reads a document of a service with settings."""

    def get(path: str = PATHS[0], **settings):
        response = make_app(**settings).test_client().get(path)
        assert response.status_code == 200
        return response

    return get


@pytest.mark.parametrize("path", PATHS)
def test_document(client, path):
    """Both names have the same document, which may be cached like the keys."""
    response = client.get(path)

    base = "http://127.0.0.1:8080"
    methods = ["client_secret_basic", "client_secret_post"]
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.json == {
        "issuer": base,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "token_endpoint": f"{base}/oauth/token",
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint": f"{base}/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": methods,
        "scopes_supported": [scope.value for scope in ClientScope],
        "response_types_supported": [],
        "grant_types_supported": [
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
    }


def test_endpoints_exist(client):
    """Each endpoint in the document is one of this service."""
    document = client.get(PATHS[0]).json
    keys = client.get(document["jwks_uri"].removeprefix(document["issuer"]))
    names = ("introspection_endpoint", "token_endpoint")
    asked = [client.post(document[name].removeprefix(document["issuer"])) for name in names]

    assert [keys.status_code, *(each.status_code for each in asked)] == [200, 401, 401]


def test_issuer(read):
    """ROSTER_ISSUER is the issuer to the letter, also with a slash at its end."""
    document = read(issuer="https://accounts.example.com/").json

    assert document["issuer"] == "https://accounts.example.com/"
    assert document["jwks_uri"] == "https://accounts.example.com/.well-known/jwks.json"
