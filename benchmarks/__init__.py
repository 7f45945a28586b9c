"""Measured comparisons, each a ratio to a baseline of the same run. Never part of the tests."""
