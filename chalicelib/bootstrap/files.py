"""From a file to rows: what the functions that are fed by queues do."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.identity import new_id
from chalicelib.bootstrap.foundation import Foundation

if TYPE_CHECKING:
    from chalicelib.services.bury import Bury
    from chalicelib.services.convert import Convert
    from chalicelib.services.cutting import Cutting
    from chalicelib.services.export import Export
    from chalicelib.services.fetch import Fetch
    from chalicelib.services.finalise import Finalise
    from chalicelib.services.load import Load
    from chalicelib.services.reads import Reads
    from chalicelib.services.retries import Retries
    from chalicelib.services.split import Split
    from chalicelib.services.tidy import Tidy


class Files(Foundation):
    """The services that load files."""

    @cached_property
    def reads(self) -> Reads:
        from chalicelib.services.reads import Reads

        return Reads(objects=self.objects, datasets=self.datasets, settings=self.settings)

    @cached_property
    def finalise(self) -> Finalise:
        from chalicelib.services.bulk import Bulk
        from chalicelib.services.finalise import Finalise
        from chalicelib.services.gather import Gather
        from chalicelib.services.publish import Publish

        return Finalise(
            ledger=self.ledger,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            publish=Publish(reads=self.reads),
            bulk=Bulk(reads=self.reads),
            gather=Gather(reads=self.reads, datasets=self.datasets),
            tidy=self.tidy,
            max_attempts=self.settings.max_attempts,
            meter=self.meter,
        )

    @cached_property
    def split(self) -> Split:
        from chalicelib.services.split import Split
        from chalicelib.services.unpack import Unpack

        return Split(
            ledger=self.ledger,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            settings=self.settings,
            finalise=self.finalise,
            unpack=Unpack(objects=self.objects, settings=self.settings),
            cutting=self.cutting,
            new_id=new_id,
            meter=self.meter,
        )

    @cached_property
    def cutting(self) -> Cutting:
        from chalicelib.services.cutting import Cutting

        return Cutting(
            ledger=self.ledger,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            settings=self.settings,
        )

    @cached_property
    def convert(self) -> Convert:
        from chalicelib.adapters.tables import StoredTables
        from chalicelib.services.convert import Convert

        return Convert(
            split=self.split,
            ledger=self.ledger,
            objects=self.objects,
            tables=StoredTables(self.objects),
            queues=self.queues,
            datasets=self.datasets,
            settings=self.settings,
            cutting=self.cutting,
            meter=self.meter,
        )

    @cached_property
    def load(self) -> Load:
        import chalicelib.core.runs  # noqa: F401 - RE2, which no other function starts with
        from chalicelib.services.load import Load

        return Load(ledger=self.ledger, reads=self.reads, finalise=self.finalise, meter=self.meter)

    @cached_property
    def tidy(self) -> Tidy:
        from chalicelib.services.tidy import Tidy

        return Tidy(ledger=self.ledger, objects=self.objects)

    @cached_property
    def bury(self) -> Bury:
        from chalicelib.services.bury import Bury

        return Bury(ledger=self.ledger, split=self.split, finalise=self.finalise)

    @cached_property
    def export(self) -> Export:
        from chalicelib.adapters.parquet_part import ParquetPart
        from chalicelib.core.parts import csv_part, json_part
        from chalicelib.services.export import Export
        from chalicelib.services.export_ports import ExportFormat

        return Export(
            exports=self.export_ledger,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            new_parts={ExportFormat.CSV: csv_part, ExportFormat.JSONL: json_part, ExportFormat.PARQUET: ParquetPart},
        )

    @cached_property
    def fetch(self) -> Fetch:
        from chalicelib.services.fetch import Fetch

        return Fetch(
            fetches=self.fetches,
            ledger=self.ledger,
            inputs=self.inputs,
            objects=self.objects,
            queues=self.queues,
            web=self.web,
            datasets=self.datasets,
            settings=self.settings,
            split=self.split,
            finalise=self.finalise,
        )

    @cached_property
    def retries(self) -> Retries:
        from chalicelib.services.retries import Retries

        return Retries(queues=self.queues)
