"""The local DynamoDB engine: find, start, watch and stop it.

The engine is dynoxide: one static binary that speaks the DynamoDB protocol and stores its tables in
memory or in one SQLite file. It verifies no signatures and allows every CORS origin, so it listens
on 127.0.0.1 only, and its files are readable by their owner only.
"""

from flask_pynamodb.local.binary import find_binary
from flask_pynamodb.local.engine import Engine
from flask_pynamodb.local.process import EngineError

__all__ = ["Engine", "EngineError", "find_binary"]
