"""Details of a job, as the page shows them: its batches, and its rejected records with sensitive columns masked."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.core.containers import JSONL
from chalicelib.core.masking import ShownCell, shown_cells
from chalicelib.services.jobs import Jobs
from chalicelib.services.ports import Datasets, RejectedBytes, Views

MAX_RECORD_BYTES = 8 * 1024
"""Longer records are not shown: a page of them must fit into an answer."""


class Details:
    """Read-only; what the caller may not see is answered as ``Jobs`` does."""

    def __init__(self, *, jobs: Jobs, views: Views, datasets: Datasets) -> None:
        self._jobs = jobs
        self._views = views
        self._datasets = datasets

    def batches(self, caller: Caller, id: UUID, *, after: int, limit: int) -> dict[str, Any]:
        """A page of a job's batches in file order; ``after`` is the number of a batch, -1 for the first page.

        Raises:
            RequestRefused: 404, there is no such job for them.
        """
        self._jobs.get(caller, id)
        found = self._views.batches(id, after, limit + 1)
        page = found[:limit]
        return {"items": page, "next_cursor": page[-1]["number"] if len(found) > limit else None}

    def rejections(self, caller: Caller, id: UUID, *, after: tuple[int, int], limit: int) -> dict[str, Any]:
        """As ``Jobs.rejections``, each record with its ``cells``: null where nothing of it may be shown.

        Raises:
            RequestRefused: 404, there is no such job for them.
        """
        job = self._jobs.get(caller, id)
        found = self._views.rejected_records(id, after, limit + 1, MAX_RECORD_BYTES)
        page = found[:limit]
        places = [record.shown.pop("place") for record in page]
        return {
            "job": job["id"],
            "causes": job["causes"],
            "items": [{**record.shown, "cells": self._cells(record)} for record in page],
            "next_cursor": places[-1] if len(found) > limit else None,
        }

    def _cells(self, record: RejectedBytes) -> list[dict[str, Any]] | None:
        dataset = self._datasets.get(record.dataset)
        if record.raw is None or dataset is None:
            return None
        wrong = [error["column"] for error in record.shown["errors"]]
        if record.format != JSONL:
            dataset = dataset.delimited_by(record.delimiter)
        cells: tuple[ShownCell, ...] | None = shown_cells(
            record.raw, wrong, form=record.format, labels=record.columns, dataset=dataset
        )
        return None if cells is None else [asdict(cell) for cell in cells]
