"""Publish: what loaders have only checked is replayed into the table by the finaliser, to stay or to be told of.

So an ``atomic`` dataset takes a whole file or nothing of it, and ``validate_only`` tells exactly what a load would do.
"""

from chalicelib.core.dataset import Dataset
from chalicelib.errors import FileRefused
from chalicelib.services.attention import give_up_if_unwanted
from chalicelib.services.ledger_ports import FinalTransaction, Replay
from chalicelib.services.limits import over_limit
from chalicelib.services.ports import Batch, Ending, Reason, Remaining
from chalicelib.services.reads import Reads, count_records, refused_records, resolved_lines

_SPARE = 60.0  # seconds for taking the rows back, for books and for files


class Publish:
    """One replay a job: killed anywhere, it was never there, and the next delivery does it again."""

    def __init__(self, *, reads: Reads) -> None:
        self._reads = reads

    def run(self, final: FinalTransaction, remaining: Remaining, *, alone: bool) -> Reason | None:
        """Replay the job's batches; why the job fails, unless ``final.ending`` tells it: its rejections are in there.

        With ``alone`` nobody else writes to the table meanwhile.

        Raises:
            Contended: other writers were in the way; alone, nobody would be.
            Terminal: a fault of ours, as in ``Load``.
        """
        job = final.ending.job
        with final.replaying() as replay:
            try:
                if alone:
                    replay.lock_table(self._reads.dataset(job))
                counts, reason = self._replay(replay, final, remaining)
            except FileRefused as refused:
                return Reason(refused.code, refused.message, "file")
            whole = reason is None and not any(batch["rejected"] for batch in counts.values())
            if job.atomic and not whole:
                counts = {number: _nothing_of(batch) for number, batch in counts.items()}
            elif not job.validate_only:
                replay.keep()
            replay.book(counts)
        return reason

    def _replay(
        self, replay: Replay, final: FinalTransaction, remaining: Remaining
    ) -> tuple[dict[int, dict[str, int]], Reason | None]:
        """What becomes of each batch, up to the one at which there is no use in going on, and why there is none."""
        ending = final.ending
        dataset = self._reads.dataset(ending.job)
        rejected = ending.counts["rejected"]
        counts: dict[int, dict[str, int]] = {}
        for batch in replay.batches:
            give_up_if_unwanted(final)
            if remaining() < _SPARE:
                raise FileRefused(
                    "too-large",
                    f"the time of one invocation was enough for {len(counts):,} of {len(replay.batches):,} batches; "
                    "a file that is loaded whole or not at all, or only validated, must be smaller: split it",
                )
            counts[batch.number], refused, room = self._place(replay, batch)
            rejected += refused
            if not room:
                message = f"{rejected:,} records were rejected so far, more than can be listed"
                return counts, Reason("too-many-errors", message, "file")
            reason = over_limit(dataset, ending.counts["read"], rejected, whole=True)
            if reason is not None:
                return counts, reason
        return counts, None

    def _place(self, replay: Replay, batch: Batch) -> tuple[dict[str, int], int, bool]:
        """A batch's counts, how many of its records the table refused, and whether more refusals can be noted."""
        read = self._reads.read(batch)
        placed = replay.place(batch, *read)
        refused = refused_records(read.parsed, placed)
        replay.resolve(resolved_lines(read.parsed, placed))
        return count_records(read.parsed, placed), len(refused), replay.refuse(batch, refused)


def awaits_replay(ending: Ending, dataset: Dataset | None) -> bool:
    """Whether accepted records wait for the finaliser to place them."""
    if not ending.job.held_back or ending.cancelling or ending.reason is not None or not ending.counts["ignored"]:
        return False
    rejected = ending.counts["rejected"]
    if dataset is not None and over_limit(dataset, ending.counts["read"], rejected, whole=True) is not None:
        return False
    return not (ending.job.atomic and rejected)


def _nothing_of(counts: dict[str, int]) -> dict[str, int]:
    """A batch's counts where none of its records stays in the table."""
    nothing = dict.fromkeys(("inserted", "updated", "unchanged"), 0)
    return {**counts, **nothing, "ignored": counts["read"] - counts["rejected"]}
