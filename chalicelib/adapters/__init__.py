"""The world outside: PostgreSQL, S3, SQS, mail. Only ``chalicelib.bootstrap`` imports from here."""
