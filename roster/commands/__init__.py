"""The groups of the `roster` command, one package or module each."""
