"""Local mode: the embedded engine, demo users and the mailbox page."""
