"""`GET /v1/users/{id}` as a team would write it with FastAPI and aioboto3.

Served by `uvicorn app:app --workers 2`. The SDK reads the endpoint, the region and the credentials
of DynamoDB from the environment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import aioboto3
from aiobotocore.config import AioConfig
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, Json
from store import Principal, authenticate


def _timestamp(milliseconds: Any) -> datetime:
    """Convert stored milliseconds to the API's precision of a second."""
    return datetime.fromtimestamp(int(milliseconds) // 1000, UTC)


Timestamp = Annotated[datetime, BeforeValidator(_timestamp)]


class User(BaseModel):
    """A user as the API returns it."""

    id: str
    username: str
    email: str
    email_verified: bool
    full_name: str | None = None
    locale: str | None = None
    status: str
    roles: list[str]
    metadata: Json[dict[str, Any]]
    created_at: Timestamp
    updated_at: Timestamp
    last_login_at: Timestamp | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep one client, and so one connection pool, for the lifetime of a worker."""
    config = AioConfig(max_pool_connections=50, retries={"mode": "standard"})
    async with aioboto3.Session().client("dynamodb", config=config) as client:
        app.state.dynamodb = client
        yield


app = FastAPI(lifespan=lifespan)
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


async def signed_in(id: str, request: Request, bearer: Bearer) -> Principal:
    """Return the caller; 401 unless the token belongs to a live session."""
    principal = await authenticate(request.app.state.dynamodb, bearer.credentials, id)
    if principal is None:
        raise HTTPException(401, "Sign in first.", headers={"WWW-Authenticate": "Bearer"})
    return principal


@app.get("/health")
async def health() -> dict[str, str]:
    """Return 200 once the worker is ready."""
    return {"status": "ok"}


@app.get("/v1/users/{id}")
async def read_user(id: str, principal: Annotated[Principal, Depends(signed_in)]) -> User:
    """Read a user. Only the user itself and admins may; others get a 404."""
    user = principal.get_visible_user(id)
    if user is None:
        raise HTTPException(404, "No such user.")
    return User.model_validate(user)
