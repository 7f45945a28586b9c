"""Tidy: what becomes of an object under ``input/`` once it has been loaded (``after_load``)."""

import logging
from uuid import UUID

from chalicelib.core.archive import archive_key
from chalicelib.core.schema import AfterLoad
from chalicelib.errors import Transient
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import ObjectStore, Untidy

log = logging.getLogger("dropload.tidy")


class Tidy:
    """Delete or archive the version that was loaded, after the commit that says so; at least once, and by anyone."""

    def __init__(self, *, ledger: Ledger, objects: ObjectStore) -> None:
        self._ledger = ledger
        self._objects = objects

    def run(self, id: UUID) -> None:
        """Put a job's object away, if that is due. Should it fail, the sweep tries again: the job has ended well."""
        untidy = self._ledger.untidy(id)
        if untidy is not None:
            self._try(untidy)

    def sweep(self) -> int:
        """Put away what was left; the number of files.

        Raises:
            Transient: some objects could not be put away. They held up no other.
        """
        left = self._ledger.all_untidy()
        failed = sum(not self._try(untidy) for untidy in left)
        if failed:
            raise Transient("tidy-trouble", f"{failed} of {len(left)} loaded files cannot be deleted or archived")
        return len(left)

    def _try(self, untidy: Untidy) -> bool:
        job = untidy.job
        try:
            if untidy.after_load is AfterLoad.ARCHIVE:
                self._objects.archive(job.object, archive_key(job.dataset, job.id, job.object.key))
            else:
                self._objects.delete(job.object)
        except Transient:
            log.exception("the object of job %s cannot be put away", job.id)
            return False
        self._ledger.tidied(job)
        return True
