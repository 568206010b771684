"""Roster beside services of other makes that answer the same request from the same tables."""
