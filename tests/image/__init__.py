"""The container image, built on a stand-in for its base: `make test-image`."""
