"""Replace: when a file becomes the new whole of its dataset (``on_conflict: replace``), and when it does not."""

from chalicelib.core.dataset import Dataset, OnConflict
from chalicelib.core.header import Layout
from chalicelib.core.states import LOADED, JobState
from chalicelib.services.ledger_ports import FinalTransaction
from chalicelib.services.ports import Ending, Reason


def may_replace(dataset: Dataset, layout: Layout) -> bool:
    """Whether a file is the new whole. Mended records of an earlier file are added to what that has loaded."""
    return dataset.on_conflict is OnConflict.REPLACE and layout.labels is None


def settle(
    final: FinalTransaction, state: JobState, reason: Reason | None, *, atomic: bool
) -> tuple[JobState, Reason | None, bool]:
    """(state, reason, whether to replace the table now) of a job that would end in this state.

    Where its shadow will not become the table, its inserted records are booked as ignored. Of two jobs the later one
    wins, in whatever order they end.
    """
    if state in LOADED:
        reason = _refusal(final.ending, atomic=atomic)
        state = state if reason is None else JobState.FAILED
    if state in LOADED and final.ending.job.validate_only:
        return state, reason, False
    replaces = state in LOADED and not final.outdone()
    if not replaces:
        final.discard()
    return state, reason, replaces


def _refusal(ending: Ending, *, atomic: bool) -> Reason | None:
    """Why what was loaded beside the table must not take its place, if so."""
    rejected, read = ending.counts["rejected"], ending.counts["read"]
    if atomic and rejected:
        message = f"{rejected} of {read} records were rejected, so nothing was replaced"
        return Reason("atomic", message, "file")
    if not ending.counts["inserted"]:
        return Reason("nothing-to-load", "the file has no record that can be loaded, so nothing was replaced", "file")
    return None
