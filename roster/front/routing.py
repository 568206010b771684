"""The lane of a request, by its method and path."""

import re
from collections import defaultdict

from flask import Flask

from api.lanes import hashing_routes

READY_PATH = "/health/ready"
LIVE_PATH = "/health/live"


class Router:
    """Recognizes requests that hash a password, without matching the whole URL map."""

    def __init__(self, app: Flask) -> None:
        patterns = defaultdict(list)
        for method, rule in hashing_routes(app):
            patterns[method].append(re.sub(r"<[^>]+>", "[^/]+", re.sub(r"\.", r"\.", rule)))
        self._patterns = {method: re.compile("|".join(rules)) for method, rules in patterns.items()}

    def hashes_password(self, method: str, path: str) -> bool:
        """Return whether a request hashes a password."""
        pattern = self._patterns.get(method)
        return pattern is not None and pattern.fullmatch(path) is not None
