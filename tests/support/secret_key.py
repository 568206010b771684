"""A secret key of good quality, for tests that start the service with its environment."""

SECRET_KEY = "b1ZxYv0hVJkqg3T8m5nR2wLsC7dQ4eUo9aHfXiPzKtE"
