"""The lean transport: DynamoDB's ten data operations without botocore's machinery.

botocore still finds the region, the endpoint, the credentials, the proxy and the certificates, and
still makes every other call; what it does again for each request is done here once.

Read in this order: `client` (one call from kwargs to answer), `retries` (when it is sent again),
`signing`, `wire` (JSON), `http` (curl), `errors`, and `target` and `operations` for what is taken
over from botocore.
"""

from flask_pynamodb.curl.client import LeanClient
from flask_pynamodb.curl.errors import UnreadableReply

__all__ = ["LeanClient", "UnreadableReply"]
