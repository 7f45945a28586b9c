"""What everything else is made of: settings, the database, S3, the queues, and views of them."""

from functools import cached_property

from chalicelib.adapters.descriptors import load_datasets
from chalicelib.adapters.inputs import S3InputStore
from chalicelib.adapters.logs import LoggedMeter
from chalicelib.adapters.postgres.database import Database
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
from chalicelib.adapters.secrets import read_key, read_secret
from chalicelib.adapters.sqs import SqsQueues
from chalicelib.adapters.web import PublicWeb
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset


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
    def post(self) -> PostgresPost:
        return PostgresPost(self.database)

    @cached_property
    def inputs(self) -> S3InputStore:
        return S3InputStore(self.settings.bucket)

    @cached_property
    def fetches(self) -> PostgresFetches:
        return PostgresFetches(self.database, self.settings.bucket)

    @cached_property
    def web(self) -> PublicWeb:
        return PublicWeb(self.settings.private_origins)

    @cached_property
    def outgoing(self) -> PostgresOutgoing:
        return PostgresOutgoing(self.database)

    @cached_property
    def changes(self) -> PostgresChanges:
        return PostgresChanges(self.database)

    @cached_property
    def sweeps(self) -> PostgresSweeps:
        return PostgresSweeps(self.database)

    @cached_property
    def export_ledger(self) -> PostgresExports:
        return PostgresExports(self.database)

    @cached_property
    def redrives(self) -> PostgresRedrives:
        return PostgresRedrives(self.database, topic=self.settings.events_topic is not None)

    @cached_property
    def webhook_key(self) -> bytes:
        return read_key(self.settings.webhook_key, self.settings.webhook_key_secret_arn)
