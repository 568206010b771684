"""The benchmark: Roster beside what bounds it, a bare route and argon2, in the same run."""
