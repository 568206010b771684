"""Passwords, tokens and codes: pure functions and pools, no tables and no requests."""
