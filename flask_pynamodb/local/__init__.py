"""The local DynamoDB engine: find, start, watch and stop it.

The engine is dynoxide: one static binary that speaks the DynamoDB protocol and stores its tables in
memory or in one SQLite file. It verifies no signatures and allows every CORS origin and Host, so it
listens on loopback only, and its files are readable by their owner only.

Unless a port is given, the address and the port are random: 2^24 addresses of 127.0.0.0/8
(RFC 1122, 3.2.1.3) and some 28,000 ports are too many for a web page to try. Other users of the
computer can still read the address in /proc/net/tcp, and connect.
"""

from flask_pynamodb.local.binary import find_binary
from flask_pynamodb.local.data_folder import running_engine
from flask_pynamodb.local.engine import Engine
from flask_pynamodb.local.process import EngineError

__all__ = ["Engine", "EngineError", "find_binary", "running_engine"]
