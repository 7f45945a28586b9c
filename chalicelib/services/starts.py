"""Starts: a job for a file that lies somewhere already, by its address."""

from collections.abc import Callable, Sequence
from uuid import UUID

from chalicelib.core.access import Caller
from chalicelib.core.addresses import Url, is_numeric, is_public, origin_of
from chalicelib.core.dataset import Dataset
from chalicelib.core.states import is_terminal
from chalicelib.core.targets import S3Target, fetched_key, folder_dataset, parse_target
from chalicelib.errors import RequestRefused, UrlRefused
from chalicelib.services.fetch_ports import FetchLedger, InputStore
from chalicelib.services.ports import Datasets, Queues, StoredObject
from chalicelib.services.split import Split, is_atomic
from chalicelib.services.visible import visible


class Starts:
    """An object in its dataset's input folder is loaded where it lies, anything else is fetched into there first.

    Booked first, sent after: what is booked and never sent, the sweep sends.
    """

    def __init__(
        self,
        *,
        fetches: FetchLedger,
        inputs: InputStore,
        queues: Queues,
        datasets: Datasets,
        split: Split,
        bucket: str,
        source_buckets: Sequence[str],
        private_origins: Sequence[str],
        new_id: Callable[[], UUID],
    ) -> None:
        self._fetches = fetches
        self._inputs = inputs
        self._queues = queues
        self._datasets = datasets
        self._split = split
        self._bucket = bucket
        self._sources = tuple(source_buckets)
        self._private = frozenset(map(origin_of, private_origins))
        self._new_id = new_id

    def run(self, caller: Caller, target: str, name: str, *, validate_only: bool, again: bool) -> UUID:
        """Start, and return the job.

        Raises:
            RequestRefused: 404, there is no such dataset or object for them; 400, the target is none, or leads where
                we do not go; 409, the object has been loaded (``job`` names by whom), or is being loaded.
        """
        dataset = visible(self._datasets, caller, name)
        try:
            where = parse_target(target)
        except UrlRefused as refused:
            raise RequestRefused(400, refused.code, f"target: {refused.message}") from None
        if isinstance(where, S3Target):
            in_place = where.bucket == self._bucket and where.key.startswith(f"input/{name}/")
            if in_place:
                return self._start(where.key, validate_only=validate_only, again=again)
            self._refuse_foreign(caller, where)
        else:
            self._refuse_private(where)
        return self._fetch(target, where, dataset, validate_only=validate_only)

    def _start(self, key: str, *, validate_only: bool, again: bool) -> UUID:
        stored = self._inputs.find(key)
        if stored is None:
            raise RequestRefused(404, "not-found", "target: there is no such object")
        known = self._fetches.job_of(stored, validate_only=validate_only)
        if known is None:
            id = self._first(stored, validate_only=validate_only, again=again)
        elif not is_terminal(known.state):
            if again:
                raise _conflict("under-way", f"job {known.id} is loading this object", known.id)
            id = known.id
        elif again or validate_only:
            id = self._split.reopen(stored, validate_only=validate_only).id
        else:
            message = f"job {known.id} has had this object, and is {known.state}; ask for it again to load it again"
            raise _conflict("loaded-before", message, known.id)
        self._queues.send_split(id)
        return id

    def _first(self, stored: StoredObject, *, validate_only: bool, again: bool) -> UUID:
        """Its first job of this kind. Where it was only validated so far, or only loaded, that job is another one's."""
        if self._fetches.job_of(stored, validate_only=not validate_only) is not None:
            return self._split.reopen(stored, validate_only=validate_only).id
        return self._split.open(stored, validate_only=validate_only, again=again).id

    def _refuse_foreign(self, caller: Caller, target: S3Target) -> None:
        """Refuse objects that are not there for the caller: in our bucket, other datasets' and those of none."""
        if target.bucket == self._bucket:
            owner = folder_dataset(target.key)
            if not (caller.datasets is None or (owner in self._datasets and owner is not None and caller.sees(owner))):
                raise RequestRefused(404, "not-found", "target: there is no such object")
            return
        wanted = f"{target.bucket}/{target.key}"
        if not any(wanted.startswith(f"{source}/") for source in self._sources):
            message = "target: objects of this bucket may not be loaded; an operator can allow that (SourceBuckets)"
            raise RequestRefused(400, "bucket-refused", message)

    def _refuse_private(self, url: Url) -> None:
        """Refuse what can be told to lead nowhere without looking a name up; the rest is told when it is fetched."""
        if url.origin in self._private:
            return
        if url.scheme != "https":
            raise RequestRefused(400, "not-https", "target: the URL must begin with https:// or s3://")
        if is_numeric(url.host) and not is_public(url.host):
            raise RequestRefused(400, "address-refused", "target: this address is not on the public internet")

    def _fetch(self, source: str, target: S3Target | Url, dataset: Dataset, *, validate_only: bool) -> UUID:
        id = self._new_id()
        self._fetches.open(
            id,
            dataset.name,
            self._bucket,
            fetched_key(dataset.name, id, target),
            source=source,
            shown=target.shown,
            validate_only=validate_only,
            atomic=is_atomic(dataset),
        )
        self._queues.send_fetch(id)
        return id


def _conflict(code: str, message: str, job: UUID) -> RequestRefused:
    return RequestRefused(409, code, message, job=str(job))
