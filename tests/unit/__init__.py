"""One promise of the core a test, by example."""
