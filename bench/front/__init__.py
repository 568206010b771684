"""The front of the service: many connections, slow clients, a far database, memory."""
