"""dropload: files dropped in S3 become rows in PostgreSQL, and every bad record comes back with its reason."""

__version__ = "0.1.0"
