"""Prometheus metrics of all processes of a service, served by a port of their own.

The workers write their values into files of a temporary folder, which `prometheus-client` maps into
memory; the parent process adds them up when they are scraped. Labels have values of bounded number
only: routes, methods, statuses, operations and kinds, and nothing of a user or of a request's text.

`prometheus_client` decides where values are kept when it is imported, by an environment variable.
So the modules of this package are imported when that is set, and never without metrics.
"""
