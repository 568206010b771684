"""One module per DynamoDB table, with its single-item operations."""
