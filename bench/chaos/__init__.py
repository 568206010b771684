"""Faults of the database under load: what clients see, what is lost, and how soon it recovers."""
