"""What everything else is made of: settings, the database, S3, the queues, and views of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.descriptors import load_datasets
from chalicelib.adapters.logs import LoggedMeter
from chalicelib.adapters.postgres.database import Database
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset

if TYPE_CHECKING:
    from chalicelib.adapters.inputs import S3InputStore
    from chalicelib.adapters.postgres.exports import PostgresExports
    from chalicelib.adapters.postgres.fetches import PostgresFetches
    from chalicelib.adapters.postgres.ledger import PostgresLedger
    from chalicelib.adapters.postgres.outgoing import PostgresOutgoing
    from chalicelib.adapters.postgres.post import PostgresPost
    from chalicelib.adapters.postgres.redriving import PostgresRedrives
    from chalicelib.adapters.postgres.schema import Schema
    from chalicelib.adapters.postgres.sweeps import PostgresSweeps
    from chalicelib.adapters.postgres.telling import PostgresChanges
    from chalicelib.adapters.postgres.views import PostgresViews
    from chalicelib.adapters.s3 import S3ObjectStore
    from chalicelib.adapters.sqs import SqsQueues
    from chalicelib.adapters.web import PublicWeb


class Foundation:
    """The adapters that services share."""

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
        from chalicelib.adapters.secrets import read_secret

        settings = self.settings
        if settings.database_secret_arn is not None:
            # Read for each new connection, which are few: a rotated secret is no trouble then.
            return Database(lambda: read_secret(settings.database_secret_arn or ""))
        return Database(lambda: settings.database_url or "")

    @cached_property
    def schema(self) -> Schema:
        from chalicelib.adapters.postgres.schema import Schema

        return Schema(self.database, self.datasets)

    @cached_property
    def ledger(self) -> PostgresLedger:
        from chalicelib.adapters.postgres.ledger import PostgresLedger

        settings = self.settings
        return PostgresLedger(self.database, settings.memory_mb, topic=settings.events_topic is not None)

    @cached_property
    def views(self) -> PostgresViews:
        from chalicelib.adapters.postgres.views import PostgresViews

        return PostgresViews(self.database)

    @cached_property
    def objects(self) -> S3ObjectStore:
        from chalicelib.adapters.s3 import S3ObjectStore

        return S3ObjectStore(self.settings.bucket)

    @cached_property
    def queues(self) -> SqsQueues:
        from chalicelib.adapters.sqs import SqsQueues

        return SqsQueues(self.settings)

    @cached_property
    def post(self) -> PostgresPost:
        from chalicelib.adapters.postgres.post import PostgresPost

        return PostgresPost(self.database)

    @cached_property
    def inputs(self) -> S3InputStore:
        from chalicelib.adapters.inputs import S3InputStore

        return S3InputStore(self.settings.bucket)

    @cached_property
    def fetches(self) -> PostgresFetches:
        from chalicelib.adapters.postgres.fetches import PostgresFetches

        return PostgresFetches(self.database, self.settings.bucket)

    @cached_property
    def web(self) -> PublicWeb:
        from chalicelib.adapters.web import PublicWeb

        return PublicWeb(self.settings.private_origins)

    @cached_property
    def outgoing(self) -> PostgresOutgoing:
        from chalicelib.adapters.postgres.outgoing import PostgresOutgoing

        return PostgresOutgoing(self.database)

    @cached_property
    def changes(self) -> PostgresChanges:
        from chalicelib.adapters.postgres.telling import PostgresChanges

        return PostgresChanges(self.database)

    @cached_property
    def sweeps(self) -> PostgresSweeps:
        from chalicelib.adapters.postgres.sweeps import PostgresSweeps

        return PostgresSweeps(self.database)

    @cached_property
    def export_ledger(self) -> PostgresExports:
        from chalicelib.adapters.postgres.exports import PostgresExports

        return PostgresExports(self.database)

    @cached_property
    def redrives(self) -> PostgresRedrives:
        from chalicelib.adapters.postgres.redriving import PostgresRedrives

        return PostgresRedrives(self.database, topic=self.settings.events_topic is not None)

    @cached_property
    def webhook_key(self) -> bytes:
        from chalicelib.adapters.secrets import read_key

        return read_key(self.settings.webhook_key, self.settings.webhook_key_secret_arn)
