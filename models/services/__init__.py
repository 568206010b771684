"""What Roster can do; each method is one transaction."""
