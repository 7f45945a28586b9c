"""Causes are rejections added up."""

from chalicelib.core.rejection import Cause, RecordError, Rejection, merge_causes, tally


def rejection(line: int, *errors: tuple[str | None, str]) -> Rejection:
    return Rejection(line, line, 0, 0, b"", tuple(RecordError(column, code, "") for column, code in errors))


def test_causes_are_grouped_and_the_most_frequent_comes_first() -> None:
    rejections = [
        rejection(5, ("a", "type-error")),
        rejection(9, (None, "row-error")),
        rejection(2, (None, "row-error"), ("a", "type-error")),
        rejection(7, (None, "row-error")),
    ]
    assert tally(rejections) == (Cause("row-error", None, 3, 2), Cause("type-error", "a", 2, 2))


def test_a_record_counts_once_for_each_cause() -> None:
    assert tally([rejection(3, ("a", "type-error"), ("a", "type-error"))]) == (Cause("type-error", "a", 1, 3),)


def test_causes_of_batches_add_up() -> None:
    batches = [Cause("row-error", None, 3, 9), Cause("type-error", "a", 1, 2), Cause("row-error", None, 2, 4)]
    assert merge_causes(batches) == (Cause("row-error", None, 5, 4), Cause("type-error", "a", 1, 2))
