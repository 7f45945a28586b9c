"""What goes on by itself, and the levers that people have."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.identity import new_id
from chalicelib.bootstrap.files import Files

if TYPE_CHECKING:
    from chalicelib.services.cancel import Cancel
    from chalicelib.services.deliver import Deliver
    from chalicelib.services.erase import Erase
    from chalicelib.services.forget import Forget
    from chalicelib.services.missed import Missed
    from chalicelib.services.notify import Notify
    from chalicelib.services.overview import Overview
    from chalicelib.services.redrive import Redrive
    from chalicelib.services.schedule import Schedule
    from chalicelib.services.sweep import Sweep
    from chalicelib.services.undo import Undo


class Operations(Files):
    """The services that operate."""

    @cached_property
    def notify(self) -> Notify:
        from chalicelib.adapters.ses import SesMailer
        from chalicelib.adapters.sns import SnsTopic
        from chalicelib.services.notify import Notify

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
    def overview(self) -> Overview:
        from chalicelib.adapters.postgres.gauges import PostgresInstruments
        from chalicelib.services.overview import Overview

        return Overview(instruments=PostgresInstruments(self.database), meter=self.meter)

    @cached_property
    def missed(self) -> Missed:
        from chalicelib.adapters.listing import S3Listing
        from chalicelib.services.missed import Missed

        listing = S3Listing(self.settings.bucket)
        return Missed(sweeps=self.sweeps, listing=listing, queues=self.queues, split=self.split)

    @cached_property
    def schedule(self) -> Schedule:
        from chalicelib.adapters.postgres.schedules import PostgresSchedules
        from chalicelib.services.schedule import Schedule

        return Schedule(
            waiting=PostgresSchedules(self.database, topic=self.settings.events_topic is not None),
            redrives=self.redrives,
            queues=self.queues,
            datasets=self.datasets,
        )

    @cached_property
    def sweep(self) -> Sweep:
        from chalicelib.services.sweep import Sweep
        from chalicelib.services.watch import Watch

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
    def redrive(self) -> Redrive:
        from chalicelib.services.redrive import Redrive

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
        from chalicelib.adapters.postgres.forgetting import PostgresMemory
        from chalicelib.services.forget import Forget

        memory = PostgresMemory(self.database)
        return Forget(memory=memory, datasets=self.datasets, ledger_days=self.settings.ledger_days)

    @cached_property
    def erase(self) -> Erase:
        from chalicelib.adapters.postgres.erasing import PostgresErasures
        from chalicelib.adapters.versions import S3Versions
        from chalicelib.services.erase import Erase
        from chalicelib.services.prompt import Prompt

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
        from chalicelib.adapters.postgres.undoing import PostgresUndos
        from chalicelib.services.undo import Undo

        return Undo(undos=PostgresUndos(self.database), queues=self.queues, datasets=self.datasets)

    @cached_property
    def cancel(self) -> Cancel:
        from chalicelib.adapters.postgres.cancellations import PostgresCancellations
        from chalicelib.services.cancel import Cancel

        cancellations = PostgresCancellations(self.database, topic=self.settings.events_topic is not None)
        return Cancel(cancellations=cancellations, ledger=self.ledger, queues=self.queues)

    @cached_property
    def deliver(self) -> Deliver:
        from chalicelib.services.deliver import Deliver

        return Deliver(
            outgoing=self.outgoing,
            changes=self.changes,
            web=self.web,
            queues=self.queues,
            key=lambda: self.webhook_key,
            new_id=new_id,
        )
