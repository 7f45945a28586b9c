"""What the commands of dev.py raise."""


class StackError(Exception):
    """The local stack cannot do what was asked; the message is for the person who asked."""
