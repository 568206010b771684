"""The version of the service, as the distribution states it."""

from importlib.metadata import version

VERSION = version("roster")
