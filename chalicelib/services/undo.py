"""Undo: what a job did to its table is taken back, as far as nobody has changed that since; shown as a plan first."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.dataset import Dataset
from chalicelib.core.schema import OnConflict
from chalicelib.core.states import JobState, is_terminal
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Datasets, Job, Queues, Reason, Remaining

FATES = ("deleted", "restored", "subtracted", "changed", "held", "gone", "refused")
"""What becomes of the rows that a job has made, changed or added to.

It made them, and they are ``deleted``; it changed them, and they are ``restored``; what it added is ``subtracted``.
Left as they are: those that others have ``changed`` since, or found right; made ones that rows of others refer to
(``held``; of sums what it added is subtracted all the same); those that are ``gone``, or were written since by
other means than files; and, which turns out only when it
is done, those whose earlier values the database has ``refused``.
"""
_LOOK_SECONDS = 20.0  # API Gateway waits for 29
_SPARE = 60.0
_GAVE_UP = Reason("exhausted", "we tried several times and could not undo this", "transient")


@dataclass(frozen=True, slots=True)
class Facts:
    """A job that may be undone. ``loaded`` counts records; ``beside_unkept``: others beside or after it kept nothing.

    ``changes`` and ``additions`` tell whether what it did was noted as what rows were, or as what was added to them.
    """

    job: Job
    loaded: int
    undone: bool
    beside_unkept: bool
    changes: bool
    additions: bool


@dataclass(frozen=True, slots=True)
class Found:
    """How many rows have which fate, how many rejections will not be resolved any more, and a digest of all that."""

    rows: Mapping[str, int]
    unresolved: int
    digest: str


class HeldUndo(Protocol):
    """A job, in a transaction."""

    facts: Facts

    def look(self, dataset: Dataset, *, sums: bool) -> Found:
        """What would become of which rows."""

    def carry_out(self, dataset: Dataset, *, sums: bool) -> Found:
        """Do what ``look`` has found."""

    def ask(self, token: str) -> None:
        """Remember that somebody wants this, and which plan they have seen."""


class HeldRequest(HeldUndo, Protocol):
    """The same, once somebody has asked for it and nobody has done it."""

    token: str

    def finish(self, counts: Mapping[str, int] | None, reason: Reason | None) -> None:
        """It is done, or will not be."""


class Undos(Protocol):
    """The ledger and the tables, as far as this service needs them."""

    def looking(self, id: UUID, seconds: float) -> AbstractContextManager[HeldUndo | None]:
        """A transaction that nobody waits for; None where there is no such job.

        Raises RequestRefused with 409 if all that is done in it takes longer.
        """

    def undoing(self, id: UUID, seconds: float) -> AbstractContextManager[HeldRequest | None]:
        """A transaction in which nobody else undoes or redrives the job; None where nobody asks for its undo."""

    def give_up(self, id: UUID, reason: Reason) -> None:
        """What was asked for will not be done."""

    def lost(self) -> list[UUID]:
        """Jobs whose undo was asked for a while ago, and is not done. None is given twice within that time."""


class Undo:
    """Asked for with what was shown; done once, in one transaction, by whoever gets the message."""

    def __init__(self, *, undos: Undos, queues: Queues, datasets: Datasets) -> None:
        self._undos = undos
        self._queues = queues
        self._datasets = datasets

    def plan(self, id: UUID) -> dict[str, Any]:
        """What an undo would do; ``token`` is to be sent back to have that done.

        Raises:
            RequestRefused: 404, there is no such job; 409, its table is too large to be looked through while somebody
                waits.
        """
        with self._undos.looking(id, _LOOK_SECONDS) as held:
            if held is None:
                raise RequestRefused(404, "not-found", f"there is no job {id}")
            return self._plan(held)

    def ask(self, id: UUID, token: str) -> None:
        """Have a plan carried out, if it still holds. Quiet where the job has been undone.

        Raises:
            RequestRefused: 404, there is no such job; 409, it cannot be undone, or the plan has changed.
        """
        with self._undos.looking(id, _LOOK_SECONDS) as held:
            if held is None:
                raise RequestRefused(404, "not-found", f"there is no job {id}")
            if held.facts.undone:
                return
            plan = self._plan(held)
            if plan["reason"] is not None:
                raise RequestRefused(409, plan["reason"]["code"], plan["reason"]["message"])
            if plan["token"] != token:
                raise RequestRefused(409, "plan-changed", "this is not what would be done now; look at the plan again")
            held.ask(token)
        self._queues.send_undo(id)

    def run(self, id: UUID, remaining: Remaining) -> None:
        """Do what was asked for, unless it is done. Killed anywhere, nothing has happened.

        Raises:
            Transient: try again later.
        """
        with self._undos.undoing(id, remaining() - _SPARE) as held:
            if held is None:
                return
            plan = self._plan(held)
            if plan["reason"] is not None:
                held.finish(None, Reason(plan["reason"]["code"], plan["reason"]["message"], "request"))
            elif plan["token"] != held.token:
                message = "the rows were changed after the plan was made; look at it again"
                held.finish(None, Reason("plan-changed", message, "request"))
            else:
                dataset = self._datasets[held.facts.job.dataset]
                done = held.carry_out(dataset, sums=dataset.on_conflict is OnConflict.SUM)
                held.finish({**_counts(done), "unresolved": done.unresolved}, None)

    def give_up(self, id: UUID) -> None:
        """The queue has tried too often."""
        self._undos.give_up(id, _GAVE_UP)

    def sweep(self) -> int:
        """Send again what got lost; how many there were."""
        lost = self._undos.lost()
        for id in lost:
            self._queues.send_undo(id)
        return len(lost)

    def _plan(self, held: HeldUndo) -> dict[str, Any]:
        facts = held.facts
        dataset = self._datasets.get(facts.job.dataset)
        reason = _refusal(facts, dataset)
        plan: dict[str, Any] = {"job": str(facts.job.id), "possible": reason is None, "reason": None, "token": None}
        if reason is not None or dataset is None:
            why = None if reason is None else {"code": reason[0], "message": reason[1]}
            return {**plan, "reason": why, "rows": dict.fromkeys(FATES, 0), "unresolved": 0}
        found = held.look(dataset, sums=dataset.on_conflict is OnConflict.SUM)
        shown = {"rows": _counts(found), "unresolved": found.unresolved}
        digest = json.dumps([plan["job"], shown, found.digest]).encode()
        return {**plan, **shown, "token": hashlib.sha256(digest).hexdigest()}


def _counts(found: Found) -> dict[str, int]:
    return {fate: found.rows.get(fate, 0) for fate in FATES}


def _refusal(facts: Facts, dataset: Dataset | None) -> tuple[str, str] | None:
    """Why a job cannot be undone at all: a code and a sentence."""
    job = facts.job
    if facts.undone:
        return "undone", "the job was undone already"
    if not is_terminal(job.state):
        return "not-ended", f"the job is {job.state}: it has not ended yet"
    if dataset is None:
        return "unknown-dataset", f"there is no dataset {job.dataset} any more"
    if job.state is JobState.DUPLICATE or job.validate_only or not facts.loaded:
        return "nothing-loaded", "nothing of the file is in the table"
    if job.replaces:
        return "not-kept", "the file replaced the table, and what that held before is gone; drop the earlier file again"
    adds, changes = dataset.on_conflict is OnConflict.SUM, dataset.on_conflict is OnConflict.UPDATE
    if (facts.changes and not changes) or (facts.additions and not adds):
        return "policy-changed", "the dataset's on_conflict was another one when the job ran"
    if (adds or changes) and not job.keeps:
        return "not-kept", "what the job changed was not kept: the dataset had no undo_days, or they are over"
    if (adds or changes) and facts.beside_unkept:
        return "not-kept", "another job that ran beside or after it kept nothing of what it changed"
    return None
