"""The curl transport: DynamoDB's ten data operations over libcurl, without botocore's overhead.

botocore still resolves the region, the endpoint, the credentials, the proxy and the certificates,
and still sends every other operation. Work that botocore repeats for each request is done once.

Read in this order: `client` (one call from arguments to response), `retries`, `signing`, `codec`
(JSON), `http` (libcurl), `errors`; `endpoint` and `operations` are the parts read from botocore.
"""

from flask_pynamodb.curl.client import CurlClient
from flask_pynamodb.curl.errors import UnreadableResponse

__all__ = ["CurlClient", "UnreadableResponse"]
