"""The composition root: adapters and services, built once a process from the environment."""

from functools import cache, cached_property
from pathlib import Path

from chalicelib.adapters import events, logs
from chalicelib.adapters.descriptors import load_datasets, read_descriptors
from chalicelib.adapters.identity import new_id
from chalicelib.adapters.postgres.answers import PostgresAnswers
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.dataset_views import PostgresDatasetViews
from chalicelib.adapters.postgres.keys import PostgresKeyStore
from chalicelib.adapters.postgres.records import PostgresRecords
from chalicelib.adapters.postgres.schema import Schema
from chalicelib.adapters.postgres.webhooks import PostgresWebhooks
from chalicelib.adapters.postgres.work import PostgresReceipts
from chalicelib.bootstrap.operations import Operations
from chalicelib.config import Settings
from chalicelib.services.authentication import Authentication, Tokens
from chalicelib.services.changes import ChangedRecords
from chalicelib.services.datasets import DatasetAnswers
from chalicelib.services.details import Details
from chalicelib.services.exports import Exports
from chalicelib.services.health import Health
from chalicelib.services.idempotency import Idempotency
from chalicelib.services.intake import Intake
from chalicelib.services.jobs import Jobs
from chalicelib.services.keys import Keys
from chalicelib.services.prompt import Prompt
from chalicelib.services.receipts import Receipts
from chalicelib.services.records import Records
from chalicelib.services.results import Results
from chalicelib.services.starts import Starts
from chalicelib.services.uploads import Uploads
from chalicelib.services.webhooks import Webhooks
from chalicelib.services.whereabouts import Whereabouts

__all__ = ["VERSION", "Container", "Schema", "container", "read_descriptors", "schema_of"]

VERSION = "0.1.0"


class Container(Operations):
    """Everything, each made when first asked for, so that a function starts with no more than it needs."""

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
    def changed_records(self) -> ChangedRecords:
        return ChangedRecords(changes=self.changes, views=self.views, datasets=self.datasets)

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
