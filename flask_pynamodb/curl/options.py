"""The options of libcurl for connections to an endpoint."""

from collections.abc import Iterator
from typing import Any

import pycurl  # type: ignore[import-untyped]

from flask_pynamodb.curl.endpoint import Endpoint

_BUFFER = 128 * 1024  # bytes read at once; a response may have 16 MB


def options_of(endpoint: Endpoint) -> Iterator[tuple[int, Any]]:
    """Yield the options of each connection to an endpoint, and their values."""
    yield pycurl.URL, endpoint.url
    yield pycurl.PATH_AS_IS, 1
    yield pycurl.POST, 1
    yield pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1
    yield pycurl.NOSIGNAL, 1
    yield pycurl.FOLLOWLOCATION, 0
    yield pycurl.MAXCONNECTS, 1
    yield pycurl.BUFFERSIZE, _BUFFER
    yield pycurl.TCP_KEEPALIVE, int(endpoint.tcp_keepalive)
    if endpoint.connect_timeout is not None:
        # To curl, 0 means no timeout.
        yield pycurl.CONNECTTIMEOUT_MS, max(1, round(endpoint.connect_timeout * 1000))
    yield from _tls_options(endpoint)
    yield from _proxy_options(endpoint)


def _tls_options(endpoint: Endpoint) -> Iterator[tuple[int, Any]]:
    yield pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2
    if endpoint.ca_bundle is None:
        yield pycurl.SSL_VERIFYPEER, 0
        yield pycurl.SSL_VERIFYHOST, 0
    else:
        yield pycurl.CAINFO, endpoint.ca_bundle
    if endpoint.client_cert is not None:
        certificate, key = endpoint.client_cert
        yield pycurl.SSLCERT, certificate
        yield pycurl.SSLKEY, key or certificate


def _proxy_options(endpoint: Endpoint) -> Iterator[tuple[int, Any]]:
    # Always set: otherwise curl would read the environment, by other rules than botocore.
    yield pycurl.PROXY, endpoint.proxy.url if endpoint.proxy else ""
    yield pycurl.NOPROXY, ""
    if endpoint.proxy is None:
        return
    if endpoint.proxy.ca_bundle is not None:
        yield pycurl.PROXY_CAINFO, endpoint.proxy.ca_bundle
    if endpoint.proxy.client_cert is not None:
        certificate, key = endpoint.proxy.client_cert
        yield pycurl.PROXY_SSLCERT, certificate
        yield pycurl.PROXY_SSLKEY, key or certificate
