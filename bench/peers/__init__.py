"""Roster compared with other services that serve the same request from the same tables."""
