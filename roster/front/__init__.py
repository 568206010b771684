"""The front of a worker: it buffers, bounds and queues requests before a thread sees them.

Granian parses HTTP/1.1 and passes each request to `Front` in the event loop when its headers are
complete. The front reads the whole body with a deadline and a bound, chooses a lane, and puts the
request into its queue. A thread of the lane runs the Flask app and sends the response. So no thread
ever waits for a client, and requests that hash passwords do not delay others.
"""

from roster.front.application import Front, FrontSettings
from roster.front.observer import Observer

__all__ = ["Front", "FrontSettings", "Observer"]
