"""Members with naughty names, properly written as CSV."""

import csv
import io
from collections.abc import Sequence

LONGEST = 200
"""The most characters that a member's name may have."""


def members_named(names: Sequence[str], quoting: int = csv.QUOTE_MINIMAL, first_key: int = 0) -> bytes:
    """A file of one member for each first name; their numbers count from ``first_key``, their phones start with 0."""
    out = io.StringIO(newline="")
    dialect = type("Naughty", (csv.excel,), {"quoting": quoting})
    writer = csv.writer(out, dialect)
    writer.writerow(["first_name", "last_name", "phone_number", "client_member_id", "account_id"])
    writer.writerows([name, "Bobby", f"{key % 10**9:010}", str(key), "1"] for key, name in enumerate(names, first_key))
    return out.getvalue().encode()
