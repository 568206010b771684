"""The baseline: a bare Flask route on the same server with the same processes and threads.

The benchmark runs it as `python -m bench.support.bare BODY --port PORT`.
"""

import argparse
import json
from functools import partial
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server as Granian

from bench.support.process import LOOPBACK
from bench.support.service import WORKERS
from roster.front import Front, FrontSettings


def create_app(body: Any) -> Flask:
    """Create an app with one route that returns the body."""
    app = Flask(__name__)

    @app.get("/")
    def index() -> Any:
        return body

    return app


def load(body: Any) -> Front:
    """Put the app behind the front of the service, with the same number of threads."""
    return Front(create_app(body), FrontSettings())


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("body", type=json.loads)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    loader: Any = partial(load, arguments.body)
    Granian(
        "roster.front:Front",
        address=LOOPBACK,
        port=arguments.port,
        interface=Interfaces.RSGI,
        loop=Loops.asyncio,
        websockets=False,
        http=HTTPModes.http1,
        workers=WORKERS,
        log_level=LogLevels.error,
    ).serve(target_loader=loader, wrap_loader=False)


if __name__ == "__main__":
    main()
