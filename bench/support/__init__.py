"""Modules that the benchmark commands share: servers, load generator, meters and tables."""
