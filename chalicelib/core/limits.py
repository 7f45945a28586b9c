"""How many records of a file may be rejected before the file as a whole is not worth going on with."""

from decimal import Decimal

from chalicelib.core.schema import Dataset

RATE_FROM = 1_000
"""Records read before a rate says anything about a file that is not read to its end yet."""


def too_many(dataset: Dataset, read: int, rejected: int, *, whole: bool) -> str | None:
    """Return what is too much when ``rejected`` of ``read`` records of a file are; ``None`` when the dataset bears it.

    Exactly at a limit is not too many. With ``whole`` all records of the file have been read.
    """
    most = dataset.max_errors
    if most is not None and rejected > most:
        return f"{rejected:,} of {read:,} records were rejected; the dataset takes at most {most:,} (max_errors)"
    rate = dataset.max_error_rate
    if rate is None or not (whole or read >= RATE_FROM):
        return None
    share = Decimal(repr(rate))  # as it is written: 29 of 100 is not more than 0.29
    if rejected > share * read:
        return (
            f"{rejected:,} of {read:,} records were rejected; the dataset takes at most a share of {share} "
            "(max_error_rate)"
        )
    return None
