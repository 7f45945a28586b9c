"""The local stack, the AWS package and dev.py themselves."""
