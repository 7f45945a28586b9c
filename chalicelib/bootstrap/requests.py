"""What the routes of the API ask."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.identity import new_id
from chalicelib.bootstrap.operations import Operations

if TYPE_CHECKING:
    from chalicelib.services.authentication import Authentication, Tokens
    from chalicelib.services.changes import ChangedRecords
    from chalicelib.services.datasets import DatasetAnswers
    from chalicelib.services.details import Details
    from chalicelib.services.exports import Exports
    from chalicelib.services.health import Health
    from chalicelib.services.idempotency import Idempotency
    from chalicelib.services.jobs import Jobs
    from chalicelib.services.keys import Keys
    from chalicelib.services.receipts import Receipts
    from chalicelib.services.records import Records
    from chalicelib.services.results import Results
    from chalicelib.services.starts import Starts
    from chalicelib.services.uploads import Uploads
    from chalicelib.services.webhooks import Webhooks
    from chalicelib.services.whereabouts import Whereabouts


class Requests(Operations):
    """The services that answer people."""

    @cached_property
    def exports(self) -> Exports:
        from chalicelib.services.exports import Exports

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
        from chalicelib.services.changes import ChangedRecords

        return ChangedRecords(changes=self.changes, views=self.views, datasets=self.datasets)

    @cached_property
    def webhooks(self) -> Webhooks:
        from chalicelib.adapters.postgres.webhooks import PostgresWebhooks
        from chalicelib.services.webhooks import Webhooks

        return Webhooks(
            store=PostgresWebhooks(self.database),
            queues=self.queues,
            datasets=self.datasets,
            key=lambda: self.webhook_key,
            private_origins=self.settings.private_origins,
            new_id=new_id,
        )

    @cached_property
    def starts(self) -> Starts:
        from chalicelib.services.starts import Starts

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
        from chalicelib.services.uploads import Uploads

        return Uploads(
            fetches=self.fetches, inputs=self.inputs, datasets=self.datasets, seconds=self.settings.upload_seconds
        )

    @cached_property
    def results(self) -> Results:
        from chalicelib.services.results import Results

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
        from chalicelib.services.jobs import Jobs

        return Jobs(views=self.views)

    @cached_property
    def details(self) -> Details:
        from chalicelib.services.details import Details

        return Details(jobs=self.jobs, views=self.views, datasets=self.datasets)

    @cached_property
    def receipts(self) -> Receipts:
        from chalicelib.adapters.postgres.work import PostgresReceipts
        from chalicelib.services.receipts import Receipts

        return Receipts(view=PostgresReceipts(self.database))

    @cached_property
    def records(self) -> Records:
        from chalicelib.adapters.postgres.records import PostgresRecords
        from chalicelib.services.prompt import Prompt
        from chalicelib.services.records import Records

        return Records(
            store=PostgresRecords(self.database),
            datasets=self.datasets,
            max_record_bytes=self.settings.max_record_bytes,
            prompt=Prompt(outgoing=self.outgoing, queues=self.queues),
        )

    @cached_property
    def dataset_answers(self) -> DatasetAnswers:
        from chalicelib.adapters.postgres.dataset_views import PostgresDatasetViews
        from chalicelib.services.datasets import DatasetAnswers

        return DatasetAnswers(views=PostgresDatasetViews(self.database), jobs=self.views, datasets=self.datasets)

    @cached_property
    def whereabouts(self) -> Whereabouts:
        from chalicelib.services.whereabouts import Whereabouts

        return Whereabouts(views=self.views, inputs=self.inputs, datasets=self.datasets)

    @cached_property
    def keys(self) -> Keys:
        from chalicelib.adapters.postgres.keys import PostgresKeyStore
        from chalicelib.services.keys import Keys

        return Keys(store=PostgresKeyStore(self.database), datasets=self.datasets, new_id=new_id)

    @cached_property
    def authentication(self) -> Authentication:
        from chalicelib.services.authentication import Authentication

        return Authentication(keys=self.keys, tokens=self._tokens)

    @property
    def _tokens(self) -> Tokens | None:
        if self.settings.oidc is None:
            return None
        from chalicelib.adapters.oidc import OidcTokens  # its cryptography takes a tenth of a second to import

        return OidcTokens(self.settings.oidc)

    @cached_property
    def idempotency(self) -> Idempotency:
        from chalicelib.adapters.postgres.answers import PostgresAnswers
        from chalicelib.services.idempotency import Idempotency

        return Idempotency(answers=PostgresAnswers(self.database))

    @cached_property
    def health(self) -> Health:
        from chalicelib.services.health import Health

        return Health({"database": self.views.ping, "storage": self.objects.ping, "queues": self.queues.ping})
