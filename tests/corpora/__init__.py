"""Third-party cases, read from beside the repository, and the oracle and demo files held to each other."""
