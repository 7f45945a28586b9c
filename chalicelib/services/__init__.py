"""One verb a module, each the order of its effects. What they need from outside is in ``ports``."""
