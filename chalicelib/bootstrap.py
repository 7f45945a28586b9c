"""The composition root: adapters and services, built once a process from the environment."""

from functools import cache, cached_property
from pathlib import Path

from chalicelib.adapters import events, logs
from chalicelib.adapters.descriptors import load_datasets, read_descriptors
from chalicelib.adapters.identity import new_id
from chalicelib.adapters.inputs import S3InputStore
from chalicelib.adapters.listing import S3Listing
from chalicelib.adapters.logs import LoggedMeter
from chalicelib.adapters.parquet_part import ParquetPart
from chalicelib.adapters.postgres.answers import PostgresAnswers
from chalicelib.adapters.postgres.cancellations import PostgresCancellations
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.dataset_views import PostgresDatasetViews
from chalicelib.adapters.postgres.erasing import PostgresErasures
from chalicelib.adapters.postgres.exports import PostgresExports
from chalicelib.adapters.postgres.fetches import PostgresFetches
from chalicelib.adapters.postgres.forgetting import PostgresMemory
from chalicelib.adapters.postgres.gauges import PostgresInstruments
from chalicelib.adapters.postgres.keys import PostgresKeyStore
from chalicelib.adapters.postgres.ledger import PostgresLedger
from chalicelib.adapters.postgres.outgoing import PostgresOutgoing
from chalicelib.adapters.postgres.post import PostgresPost
from chalicelib.adapters.postgres.records import PostgresRecords
from chalicelib.adapters.postgres.redriving import PostgresRedrives
from chalicelib.adapters.postgres.schedules import PostgresSchedules
from chalicelib.adapters.postgres.schema import Schema
from chalicelib.adapters.postgres.sweeps import PostgresSweeps
from chalicelib.adapters.postgres.telling import PostgresChanges
from chalicelib.adapters.postgres.undoing import PostgresUndos
from chalicelib.adapters.postgres.views import PostgresViews
from chalicelib.adapters.postgres.webhooks import PostgresWebhooks
from chalicelib.adapters.postgres.work import PostgresReceipts
from chalicelib.adapters.s3 import S3ObjectStore
from chalicelib.adapters.secrets import read_key, read_secret
from chalicelib.adapters.ses import SesMailer
from chalicelib.adapters.sns import SnsTopic
from chalicelib.adapters.sqs import SqsQueues
from chalicelib.adapters.tables import StoredTables
from chalicelib.adapters.versions import S3Versions
from chalicelib.adapters.web import PublicWeb
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from chalicelib.core.parts import csv_part, json_part
from chalicelib.services.authentication import Authentication, Tokens
from chalicelib.services.bulk import Bulk
from chalicelib.services.bury import Bury
from chalicelib.services.cancel import Cancel
from chalicelib.services.changes import ChangedRecords
from chalicelib.services.convert import Convert
from chalicelib.services.cutting import Cutting
from chalicelib.services.datasets import DatasetAnswers
from chalicelib.services.deliver import Deliver
from chalicelib.services.details import Details
from chalicelib.services.erase import Erase
from chalicelib.services.export import Export
from chalicelib.services.export_ports import ExportFormat
from chalicelib.services.exports import Exports
from chalicelib.services.fetch import Fetch
from chalicelib.services.finalise import Finalise
from chalicelib.services.forget import Forget
from chalicelib.services.gather import Gather
from chalicelib.services.health import Health
from chalicelib.services.idempotency import Idempotency
from chalicelib.services.intake import Intake
from chalicelib.services.jobs import Jobs
from chalicelib.services.keys import Keys
from chalicelib.services.load import Load
from chalicelib.services.missed import Missed
from chalicelib.services.notify import Notify
from chalicelib.services.overview import Overview
from chalicelib.services.prompt import Prompt
from chalicelib.services.publish import Publish
from chalicelib.services.reads import Reads
from chalicelib.services.receipts import Receipts
from chalicelib.services.records import Records
from chalicelib.services.redrive import Redrive
from chalicelib.services.results import Results
from chalicelib.services.retries import Retries
from chalicelib.services.schedule import Schedule
from chalicelib.services.split import Split
from chalicelib.services.starts import Starts
from chalicelib.services.sweep import Sweep
from chalicelib.services.tidy import Tidy
from chalicelib.services.undo import Undo
from chalicelib.services.unpack import Unpack
from chalicelib.services.uploads import Uploads
from chalicelib.services.watch import Watch
from chalicelib.services.webhooks import Webhooks
from chalicelib.services.whereabouts import Whereabouts

__all__ = ["VERSION", "Container", "Schema", "container", "read_descriptors", "schema_of"]

VERSION = "0.1.0"


class Container:
    """Everything, each made when first asked for, so that a function starts with no more than it needs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        return load_datasets()

    @cached_property
    def meter(self) -> LoggedMeter:
        return LoggedMeter(lambda: self.datasets)

    @cached_property
    def database(self) -> Database:
        settings = self.settings
        if settings.database_secret_arn is not None:
            # Read for each new connection, which are few: a rotated secret is no trouble then.
            return Database(lambda: read_secret(settings.database_secret_arn or ""))
        return Database(lambda: settings.database_url or "")

    @cached_property
    def schema(self) -> Schema:
        return Schema(self.database, self.datasets)

    @cached_property
    def ledger(self) -> PostgresLedger:
        settings = self.settings
        return PostgresLedger(self.database, settings.memory_mb, topic=settings.events_topic is not None)

    @cached_property
    def views(self) -> PostgresViews:
        return PostgresViews(self.database)

    @cached_property
    def objects(self) -> S3ObjectStore:
        return S3ObjectStore(self.settings.bucket)

    @cached_property
    def queues(self) -> SqsQueues:
        return SqsQueues(self.settings)

    @cached_property
    def tidy(self) -> Tidy:
        return Tidy(ledger=self.ledger, objects=self.objects)

    @cached_property
    def finalise(self) -> Finalise:
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
    def reads(self) -> Reads:
        return Reads(objects=self.objects, datasets=self.datasets, settings=self.settings)

    @cached_property
    def split(self) -> Split:
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
        return Cutting(
            ledger=self.ledger,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            settings=self.settings,
        )

    @cached_property
    def convert(self) -> Convert:
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
        return Load(ledger=self.ledger, reads=self.reads, finalise=self.finalise, meter=self.meter)

    @cached_property
    def notify(self) -> Notify:
        topic = self.settings.events_topic
        return Notify(
            post=self.post,
            mailer=SesMailer(self.settings.mail_from),
            topic=None if topic is None else SnsTopic(topic),
            queues=self.queues,
            datasets=self.datasets,
            settings=self.settings,
            meter=self.meter,
        )

    @cached_property
    def post(self) -> PostgresPost:
        return PostgresPost(self.database)

    @cached_property
    def bury(self) -> Bury:
        return Bury(ledger=self.ledger, split=self.split, finalise=self.finalise)

    @cached_property
    def sweep(self) -> Sweep:
        return Sweep(
            sweeps=self.sweeps,
            ledger=self.ledger,
            queues=self.queues,
            finalise=self.finalise,
            bury=self.bury,
            tidy=self.tidy,
            exports=self.export_ledger,
            missed=self.missed,
            forget=self.forget,
            watch=Watch(post=self.post, datasets=self.datasets, digest_hour=self.settings.digest_hour),
            schedule=self.schedule,
            overview=self.overview,
            undo=self.undo,
            erase=self.erase,
        )

    @cached_property
    def redrives(self) -> PostgresRedrives:
        return PostgresRedrives(self.database, topic=self.settings.events_topic is not None)

    @cached_property
    def schedule(self) -> Schedule:
        return Schedule(
            waiting=PostgresSchedules(self.database, topic=self.settings.events_topic is not None),
            redrives=self.redrives,
            queues=self.queues,
            datasets=self.datasets,
        )

    @cached_property
    def overview(self) -> Overview:
        return Overview(instruments=PostgresInstruments(self.database), meter=self.meter)

    @cached_property
    def sweeps(self) -> PostgresSweeps:
        return PostgresSweeps(self.database)

    @cached_property
    def missed(self) -> Missed:
        listing = S3Listing(self.settings.bucket)
        return Missed(sweeps=self.sweeps, listing=listing, queues=self.queues, split=self.split)

    @cached_property
    def export_ledger(self) -> PostgresExports:
        return PostgresExports(self.database)

    @cached_property
    def export(self) -> Export:
        return Export(
            exports=self.export_ledger,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            new_parts={ExportFormat.CSV: csv_part, ExportFormat.JSONL: json_part, ExportFormat.PARQUET: ParquetPart},
        )

    @cached_property
    def exports(self) -> Exports:
        return Exports(
            exports=self.export_ledger,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            link_seconds=self.settings.link_seconds,
            new_id=new_id,
        )

    @cached_property
    def changes(self) -> PostgresChanges:
        return PostgresChanges(self.database)

    @cached_property
    def changed_records(self) -> ChangedRecords:
        return ChangedRecords(changes=self.changes, views=self.views, datasets=self.datasets)

    @cached_property
    def web(self) -> PublicWeb:
        return PublicWeb(self.settings.private_origins)

    @cached_property
    def webhook_key(self) -> bytes:
        return read_key(self.settings.webhook_key, self.settings.webhook_key_secret_arn)

    @cached_property
    def webhooks(self) -> Webhooks:
        return Webhooks(
            store=PostgresWebhooks(self.database),
            queues=self.queues,
            datasets=self.datasets,
            key=lambda: self.webhook_key,
            private_origins=self.settings.private_origins,
            new_id=new_id,
        )

    @cached_property
    def outgoing(self) -> PostgresOutgoing:
        return PostgresOutgoing(self.database)

    @cached_property
    def deliver(self) -> Deliver:
        return Deliver(
            outgoing=self.outgoing,
            changes=self.changes,
            web=self.web,
            queues=self.queues,
            key=lambda: self.webhook_key,
            new_id=new_id,
        )

    @cached_property
    def retries(self) -> Retries:
        return Retries(queues=self.queues)

    @cached_property
    def intake(self) -> Intake:
        return Intake(
            split=self.split,
            load=self.load,
            convert=self.convert,
            bury=self.bury,
            export=self.export,
            undo=self.undo,
            erase=self.erase,
            fetch=self.fetch,
            retries=self.retries,
            messages=events,
        )

    @cached_property
    def fetches(self) -> PostgresFetches:
        return PostgresFetches(self.database, self.settings.bucket)

    @cached_property
    def inputs(self) -> S3InputStore:
        return S3InputStore(self.settings.bucket)

    @cached_property
    def fetch(self) -> Fetch:
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
    def starts(self) -> Starts:
        return Starts(
            fetches=self.fetches,
            inputs=self.inputs,
            queues=self.queues,
            datasets=self.datasets,
            split=self.split,
            bucket=self.settings.bucket,
            source_buckets=self.settings.source_buckets,
            private_origins=self.settings.private_origins,
            new_id=new_id,
        )

    @cached_property
    def uploads(self) -> Uploads:
        return Uploads(
            fetches=self.fetches, inputs=self.inputs, datasets=self.datasets, seconds=self.settings.upload_seconds
        )

    @cached_property
    def results(self) -> Results:
        return Results(
            jobs=self.jobs,
            ledger=self.ledger,
            inputs=self.inputs,
            objects=self.objects,
            datasets=self.datasets,
            link_seconds=self.settings.link_seconds,
        )

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(views=self.views)

    @cached_property
    def details(self) -> Details:
        return Details(jobs=self.jobs, views=self.views, datasets=self.datasets)

    @cached_property
    def receipts(self) -> Receipts:
        return Receipts(view=PostgresReceipts(self.database))

    @cached_property
    def records(self) -> Records:
        return Records(
            store=PostgresRecords(self.database),
            datasets=self.datasets,
            max_record_bytes=self.settings.max_record_bytes,
            prompt=Prompt(outgoing=self.outgoing, queues=self.queues),
        )

    @cached_property
    def dataset_answers(self) -> DatasetAnswers:
        return DatasetAnswers(views=PostgresDatasetViews(self.database), jobs=self.views, datasets=self.datasets)

    @cached_property
    def whereabouts(self) -> Whereabouts:
        return Whereabouts(views=self.views, inputs=self.inputs, datasets=self.datasets)

    @cached_property
    def redrive(self) -> Redrive:
        return Redrive(
            redrives=self.redrives,
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            split=self.split,
            new_id=new_id,
        )

    @cached_property
    def forget(self) -> Forget:
        memory = PostgresMemory(self.database)
        return Forget(memory=memory, datasets=self.datasets, ledger_days=self.settings.ledger_days)

    @cached_property
    def erase(self) -> Erase:
        return Erase(
            erasures=PostgresErasures(self.database),
            objects=self.objects,
            versions=S3Versions(self.settings.bucket),
            queues=self.queues,
            datasets=self.datasets,
            new_id=new_id,
            prompt=Prompt(outgoing=self.outgoing, queues=self.queues),
        )

    @cached_property
    def undo(self) -> Undo:
        return Undo(undos=PostgresUndos(self.database), queues=self.queues, datasets=self.datasets)

    @cached_property
    def cancel(self) -> Cancel:
        cancellations = PostgresCancellations(self.database, topic=self.settings.events_topic is not None)
        return Cancel(cancellations=cancellations, ledger=self.ledger, queues=self.queues)

    @cached_property
    def keys(self) -> Keys:
        return Keys(store=PostgresKeyStore(self.database), datasets=self.datasets, new_id=new_id)

    @cached_property
    def authentication(self) -> Authentication:
        return Authentication(keys=self.keys, tokens=self._tokens)

    @property
    def _tokens(self) -> Tokens | None:
        if self.settings.oidc is None:
            return None
        from chalicelib.adapters.oidc import OidcTokens  # its cryptography takes a tenth of a second to import

        return OidcTokens(self.settings.oidc)

    @cached_property
    def idempotency(self) -> Idempotency:
        return Idempotency(answers=PostgresAnswers(self.database))

    @cached_property
    def health(self) -> Health:
        return Health({"database": self.views.ping, "storage": self.objects.ping, "queues": self.queues.ping})


@cache
def container() -> Container:
    """This process's container; where its settings say how to log, the process logs so from now on."""
    settings = Settings.from_environment()
    if settings.log_format is not None:
        logs.start(settings.log_format, settings.log_file)
    return Container(settings)


def schema_of(database_url: str, folder: Path) -> Schema:
    """What brings a database's tables to what the descriptors of a folder say.

    Raises:
        DescriptorError: descriptors are wrong.
    """
    return Schema(Database(lambda: database_url), load_datasets(folder))
