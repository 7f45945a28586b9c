"""The composition root: adapters and services, built once a process from the environment."""

from functools import cache, cached_property

from chalicelib.adapters import events
from chalicelib.adapters.descriptors import load_datasets
from chalicelib.adapters.identity import new_id
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.keys import PostgresKeyStore
from chalicelib.adapters.postgres.ledger import PostgresLedger
from chalicelib.adapters.postgres.redriving import PostgresRedrives
from chalicelib.adapters.postgres.tables import Schema
from chalicelib.adapters.postgres.views import PostgresViews
from chalicelib.adapters.s3 import S3ObjectStore
from chalicelib.adapters.secrets import read_secret
from chalicelib.adapters.ses import SesMailer
from chalicelib.adapters.sqs import SqsQueues
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from chalicelib.services.bury import Bury
from chalicelib.services.cutting import Cutting
from chalicelib.services.finalise import Finalise
from chalicelib.services.health import Health
from chalicelib.services.intake import Intake
from chalicelib.services.jobs import Jobs
from chalicelib.services.keys import Keys
from chalicelib.services.load import Load
from chalicelib.services.notify import Notify
from chalicelib.services.redrive import Redrive
from chalicelib.services.retries import Retries
from chalicelib.services.split import Split
from chalicelib.services.sweep import Sweep
from chalicelib.services.unpack import Unpack


class Container:
    """Everything, each made when first asked for, so that a function starts with no more than it needs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        return load_datasets()

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
        return PostgresLedger(self.database)

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
    def finalise(self) -> Finalise:
        return Finalise(ledger=self.ledger, objects=self.objects, queues=self.queues, datasets=self.datasets)

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
    def load(self) -> Load:
        return Load(
            ledger=self.ledger,
            objects=self.objects,
            datasets=self.datasets,
            settings=self.settings,
            finalise=self.finalise,
        )

    @cached_property
    def notify(self) -> Notify:
        mailer = SesMailer(self.settings.mail_from)
        return Notify(
            ledger=self.ledger, mailer=mailer, queues=self.queues, datasets=self.datasets, settings=self.settings
        )

    @cached_property
    def bury(self) -> Bury:
        return Bury(ledger=self.ledger, split=self.split, finalise=self.finalise)

    @cached_property
    def sweep(self) -> Sweep:
        return Sweep(ledger=self.ledger, queues=self.queues, finalise=self.finalise)

    @cached_property
    def retries(self) -> Retries:
        return Retries(queues=self.queues)

    @cached_property
    def intake(self) -> Intake:
        return Intake(split=self.split, load=self.load, bury=self.bury, retries=self.retries, messages=events)

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(views=self.views)

    @cached_property
    def redrive(self) -> Redrive:
        return Redrive(
            redrives=PostgresRedrives(self.database),
            objects=self.objects,
            queues=self.queues,
            datasets=self.datasets,
            split=self.split,
        )

    @cached_property
    def keys(self) -> Keys:
        return Keys(store=PostgresKeyStore(self.database), new_id=new_id)

    @cached_property
    def health(self) -> Health:
        return Health({"database": self.views.ping, "storage": self.objects.ping, "queues": self.queues.ping})


@cache
def container() -> Container:
    """This process's container."""
    return Container(Settings.from_environment())
