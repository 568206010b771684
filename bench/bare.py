"""The yardstick: a bare Flask route on the same server with the same processes and threads.

Run by the benchmark as `python -m bench.bare BODY --port PORT`.
"""

import argparse
import json
from functools import partial
from typing import Any

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server as Granian

from bench.process import LOOPBACK
from bench.service import WORKERS
from roster import server


def create_app(body: Any) -> Flask:
    """An app of one route that does nothing but answer."""
    app = Flask(__name__)

    @app.get("/")
    def answer() -> Any:
        return body

    return app


def main() -> None:
    """Serve until a signal stops it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("body", type=json.loads)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    Granian(
        "bench.bare:create_app",
        address=LOOPBACK,
        port=arguments.port,
        interface=Interfaces.WSGI,
        workers=WORKERS,
        # The service's own number, so that it cannot come to differ.
        blocking_threads=server._THREADS,
        log_level=LogLevels.error,
    ).serve(target_loader=partial(create_app, arguments.body), wrap_loader=False)


if __name__ == "__main__":
    main()
