"""Version 1 of the REST API: one package per resource, each with schemas and routes."""
