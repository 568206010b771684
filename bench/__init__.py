"""Benchmarks: Roster compared in the same run with its bounds, a bare route and argon2 alone.

Each module at this level is a command (`python -m bench.MODULE`), except `plan` and `report`,
which belong to `python -m bench`.
"""
