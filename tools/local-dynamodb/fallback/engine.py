"""Run ministack's DynamoDB with the options and the log lines of dynoxide.

For machines without a dynoxide binary. Its tables are in memory; with --db-path they are written to
the folder `ministack` beside that path when the process gets SIGTERM, and are lost if it is killed.
"""

import argparse
import asyncio
import importlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--db-path", type=Path)
    options = parser.parse_args()
    listener = _listen(options.host, options.port)
    os.environ.update(_settings(options.db_path, options.host, options.port))
    # Imported only now: ministack reads its settings when it is imported.
    serve = importlib.import_module("hypercorn.asyncio").serve
    app = importlib.import_module("ministack.app").app
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    print(f"listening on http://{options.host}:{options.port}", flush=True)
    asyncio.run(_serve(serve, app, config))


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(f"{host}:{port} is already in use, or no address of this machine: {error}")
    listener.listen()
    return listener


def _settings(database: Path | None, host: str, port: int) -> dict[str, str]:
    settings = {
        "BIND_HOST": host,
        "GATEWAY_PORT": str(port),
        "SERVICES": "dynamodb",
        "SFTP_ENABLED": "false",
        "IOT_MTLS_ENABLED": "false",
        "LOG_LEVEL": "WARNING",
    }
    if database is None:
        return settings
    if database.exists():
        sys.exit(f"{database} has tables of another engine: choose another data folder.")
    state = database.parent / "ministack"
    state.mkdir(mode=0o700, exist_ok=True)
    return {**settings, "PERSIST_STATE": "1", "STATE_DIR": str(state)}


async def _serve(serve: Callable[..., Awaitable[None]], app: object, config: object) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await serve(app, config, shutdown_trigger=stopped.wait)


main()
