"""The page, in a real browser and out of it."""
