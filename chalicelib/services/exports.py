"""Exports: asked for, looked at and called off by the API."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.errors import RequestRefused
from chalicelib.services.clock import utc_now
from chalicelib.services.export import MANIFEST, prefix_of
from chalicelib.services.export_ports import ExportFormat, ExportLedger, ExportState
from chalicelib.services.filters import check_filters
from chalicelib.services.ports import Datasets, ObjectStore, Queues
from chalicelib.services.visible import visible


class Exports:
    """Booked first, sent after: what is booked and never sent, the sweep sends."""

    def __init__(
        self,
        *,
        exports: ExportLedger,
        objects: ObjectStore,
        queues: Queues,
        datasets: Datasets,
        link_seconds: int,
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._exports = exports
        self._objects = objects
        self._queues = queues
        self._datasets = datasets
        self._link_seconds = link_seconds
        self._new_id = new_id
        self._clock = clock

    def start(
        self,
        caller: Caller,
        dataset: str,
        *,
        format: ExportFormat,
        filters: Mapping[str, str],
        max_part_bytes: int,
        with_id: bool,
    ) -> dict[str, Any]:
        """Book an export and have it begun; the export.

        Raises:
            RequestRefused: 404 where there is no such dataset; 400, naming the fields, for filters that it does not
                have, or whose values are none of their fields'.
        """
        self._check(caller, dataset, filters)
        id = self._new_id()
        self._exports.open(id, dataset, format, filters, max_part_bytes, with_id=with_id)
        self._queues.send_export(id)
        return self.get(caller, id)

    def get(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """Return an export, with links to what stands of it. Raises RequestRefused with 404 where there is none."""
        export = self._exports.view(id)
        if export is None or not caller.sees(export["dataset"]):
            raise RequestRefused(404, "not-found", "there is no export with this id")
        expires = self._clock() + timedelta(seconds=self._link_seconds)
        parts = [{**part, "url": self._link(part["key"])} for part in export["parts"]]
        manifest = None
        if export["state"] == ExportState.COMPLETED:
            key = prefix_of(export["dataset"], id) + MANIFEST
            manifest = {"key": key, "url": self._link(key)}
        links = {"self": f"/v1/exports/{id}"}
        expires_at = expires.isoformat(timespec="seconds").replace("+00:00", "Z") if parts or manifest else None
        return {**export, "parts": parts, "manifest": manifest, "expires_at": expires_at, "links": links}

    def cancel(self, caller: Caller, id: UUID) -> dict[str, Any]:
        """Call an export off; parts that stand, stay. Raises RequestRefused: 404, or 409 where it has ended."""
        self.get(caller, id)
        if not self._exports.end(id, ExportState.CANCELLED, None):
            raise RequestRefused(409, "ended", "the export has ended already")
        return self.get(caller, id)

    def _link(self, key: str) -> str:
        return self._objects.link(key, self._link_seconds)

    def _check(self, caller: Caller, name: str, filters: Mapping[str, str]) -> None:
        dataset = visible(self._datasets, caller, name)
        check_filters(dataset, filters, within="filters.")
