"""What an object's key says."""


def printable_key(key: str) -> str:
    """A key as the ledger can hold it: NUL, which PostgreSQL's text has not, and surrogates become U+FFFD."""
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in key)


def dataset_of(key: str) -> str:
    """The dataset that a key belongs to (``input/<dataset>/...``), or "" where it names none."""
    parts = key.split("/", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "input" else ""
