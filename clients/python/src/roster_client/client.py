"""The connections of a program to Roster, which the functions of `roster_client.api` take."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from .retries import AsyncRetryingClient, Retries, RetryingClient

_RETRIES = Retries()


class Client:
    """A client without a token, for signing up, signing in and resetting passwords.

    Requests that create or change something carry an `Idempotency-Key`, so that a repeat has no
    effect of its own. Close the client after use, or use it in `with` or `async with`.
    """

    # Answers that the OpenAPI document does not have, such as those of a proxy, are errors.
    raise_on_unexpected_status = True

    def __init__(
        self,
        base_url: str,
        *,
        retries: Retries = _RETRIES,
        timeout: float | httpx.Timeout = 10.0,
        **options: Any,
    ) -> None:
        """Keep the settings; the first request connects.

        Args:
            base_url: The URL of the service, without `/v1`.
            retries: When to repeat a request.
            timeout: Seconds to wait for each step of a request.
            options: Further options of `httpx.Client`, such as `verify`, `proxy` or `headers`.

        Raises:
            ValueError: The URL is not one of a service.
        """
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise ValueError(f"{base_url!r} is not a URL such as https://accounts.example.com.")
        if address.path.rstrip("/").endswith("/v1"):
            raise ValueError(f"The operations add /v1 themselves; leave it out of {base_url!r}.")
        self._base_url = base_url
        self._retries = retries
        self._options = {"base_url": base_url, "timeout": timeout, **options}
        self._client: RetryingClient | None = None
        self._async_client: AsyncRetryingClient | None = None

    def get_httpx_client(self) -> httpx.Client:
        """Return the HTTP client of the functions `sync`, made at its first use."""
        if self._client is None:
            self._client = RetryingClient(self._retries, **self._options)
        return self._client

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Return the HTTP client of the functions `asyncio`, made at its first use."""
        if self._async_client is None:
            self._async_client = AsyncRetryingClient(self._retries, **self._options)
        return self._async_client

    def close(self) -> None:
        """Close the connections of the functions `sync`."""
        if self._client is not None:
            self._client.close()

    async def aclose(self) -> None:
        """Close all connections."""
        self.close()
        if self._async_client is not None:
            await self._async_client.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._base_url}>"


class AuthenticatedClient(Client):
    """A client with the token of a session or an API key."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        retries: Retries = _RETRIES,
        timeout: float | httpx.Timeout = 10.0,
        **options: Any,
    ) -> None:
        """Keep the settings; the first request connects.

        Args:
            base_url: The URL of the service, without `/v1`.
            token: The token of a session, or an API key.
            retries: When to repeat a request.
            timeout: Seconds to wait for each step of a request.
            options: Further options of `httpx.Client`, such as `verify`, `proxy` or `headers`.

        Raises:
            ValueError: The URL is not one of a service, or the token is empty.
        """
        if not token:
            raise ValueError("The token is empty.")
        super().__init__(base_url, retries=retries, timeout=timeout, **options)
        headers = httpx.Headers(options.get("headers"))
        headers["Authorization"] = f"Bearer {token}"
        self._options["headers"] = headers
