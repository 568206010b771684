"""Read the body of a request in the event loop, with a bound and a deadline."""

from asyncio import AbstractEventLoop, CancelledError
from typing import Any

from granian._granian import RSGIHTTPProtocol as HTTPProtocol

# How much of a body over the limit is read and discarded before the response, as a multiple.
_DRAINED_LIMITS = 16


class BodyTooLarge(Exception):
    """The body is longer than the bound."""


class BodyTooLate(Exception):
    """The body was not complete in time."""


class BodyIncomplete(Exception):
    """The connection closed, or the framing broke, before the end of the body."""


def declared_length(environ: dict[str, Any]) -> int | None:
    """Return the length of the body; None if it is sent in chunks.

    Raises:
        BodyIncomplete: The length is not a number.
    """
    text = environ.get("CONTENT_LENGTH")
    if text is None:
        return None
    # Granian verifies the number; a repeated one is a list here.
    if not text.isascii() or not text.isdigit():
        raise BodyIncomplete
    return int(text)


async def read(protocol: HTTPProtocol, *, limit: int, length: int | None) -> bytes:
    """Return the complete body.

    Args:
        protocol: The request.
        limit: The maximum length in bytes.
        length: The declared length; None for a body in chunks.

    Raises:
        BodyTooLarge: It is longer than the limit.
        BodyIncomplete: It is not complete.
    """
    # A proxy that is still sending when the connection closes does not see the response.
    max_drained = limit * _DRAINED_LIMITS
    if length is not None and length > max_drained:
        raise BodyTooLarge
    chunks, size, ends = [], 0, 0
    async for chunk in protocol:
        if not chunk:
            ends += 1
            continue
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > max_drained:
            break
    if size > limit:
        raise BodyTooLarge
    # Granian ends a complete body with one empty chunk. An error, or trailer fields, which no
    # operation takes, add another one.
    if ends != 1 or (length is not None and size != length):
        raise BodyIncomplete
    return b"".join(chunks)


async def read_in_time(
    loop: AbstractEventLoop,
    protocol: HTTPProtocol,
    *,
    limit: int,
    length: int | None,
    seconds: float,
) -> bytes:
    """Return the complete body; see `read`.

    Args:
        loop: The event loop.
        protocol: The request.
        limit: The maximum length in bytes.
        length: The declared length; None for a body in chunks.
        seconds: The deadline for the whole body.

    Raises:
        BodyTooLate: It was not complete in time.
        BodyTooLarge: It is longer than the limit.
        BodyIncomplete: It is not complete.
    """
    # A task of asyncio, unlike one of granian, can be cancelled, which also ends the stream.
    task = loop.create_task(read(protocol, limit=limit, length=length))
    deadline = loop.call_later(seconds, task.cancel)
    try:
        return await task
    except CancelledError:
        raise BodyTooLate from None
    finally:
        deadline.cancel()
