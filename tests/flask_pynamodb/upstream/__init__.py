"""Files beside PynamoDB's own tests, which its source distribution lacks; see test_upstream.py."""
