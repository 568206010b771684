"""A FastAPI service that verifies access tokens. Requires FastAPI, httpx and PyJWT[crypto]."""

import os
from typing import Annotated

import httpx
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

URL, AUDIENCE = os.environ["ROSTER_URL"], os.environ["AUDIENCE"]
CLIENT = (os.environ["ROSTER_CLIENT_ID"], os.environ["ROSTER_CLIENT_SECRET"])
keys = jwt.PyJWKClient(f"{URL}/.well-known/jwks.json", lifespan=300, timeout=5)
roster = httpx.Client(base_url=URL, auth=CLIENT, timeout=5)
app = FastAPI()
BEARER = {"WWW-Authenticate": "Bearer"}


def verified(authorization: Annotated[str, Header()] = "") -> dict:
    """Return the claims of the caller's token; roles and sessions are up to 5 minutes old."""
    token = authorization[7:].strip() if authorization[:7].lower() == "bearer " else ""
    try:
        typ, key = jwt.get_unverified_header(token).get("typ"), keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, ["RS256"], audience=AUDIENCE, issuer=URL)
        if typ != "at+jwt" or claims["sub"] == claims["client_id"]:  # A client is no user.
            raise HTTPException(401, headers=BEARER)
        return claims | {"token": token}
    except jwt.PyJWKClientConnectionError:
        raise HTTPException(503) from None  # Not verified is neither granted nor rejected.
    except jwt.PyJWTError:
        raise HTTPException(401, headers=BEARER) from None


def active(user: Annotated[dict, Depends(verified)]) -> dict:  # Ends of sessions count at once.
    try:
        response = roster.post("/oauth/introspect", data={"token": user["token"]})
        if response.raise_for_status().json()["active"]:
            return user
    except httpx.HTTPError:
        raise HTTPException(503) from None
    raise HTTPException(401, headers=BEARER)


@app.get("/orders")
def orders(user: Annotated[dict, Depends(verified)]) -> dict:
    return {"user": user["sub"], "roles": user["roles"]}


@app.post("/payments")
def pay(user: Annotated[dict, Depends(active)]) -> dict:
    return {"paid_by": user["sub"]}
