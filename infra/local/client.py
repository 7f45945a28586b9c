"""The client of the API, for the commands of dev.py: the one that people install."""

from dropload_client.api import TIMEOUT_SECONDS, ApiClient, ApiError

__all__ = ["TIMEOUT_SECONDS", "ApiClient", "ApiError"]
