"""The version of the service, from the metadata of its distribution."""

from importlib.metadata import version

VERSION = version("roster")
