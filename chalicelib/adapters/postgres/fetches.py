"""Jobs whose objects are fetched, in the ledger."""

from uuid import UUID

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.ledger import JOBS, as_job
from chalicelib.adapters.postgres.queries import queries
from chalicelib.services.fetch_ports import FetchJob
from chalicelib.services.ports import Job, StoredObject

FETCH = queries("fetch")


class PostgresFetches:
    """See ``services.fetch_ports.FetchLedger`` for what each method promises."""

    def __init__(self, database: Database, bucket: str) -> None:
        self._database = database
        self._bucket = bucket

    def open(
        self,
        id: UUID,
        dataset: str,
        bucket: str,
        key: str,
        *,
        source: str,
        shown: str,
        validate_only: bool,
        atomic: bool,
    ) -> None:
        values = {
            "id": id,
            "dataset": dataset,
            "bucket": bucket,
            "key": key,
            "validate_only": validate_only,
            "atomic": atomic,
        }
        with self._database.transaction() as cursor:
            cursor.execute(FETCH["open_job"], values)
            cursor.execute(FETCH["insert"], {"job": cursor.fetchone().number, "url": source, "shown": shown})

    def begin(self, id: UUID, seconds: float) -> FetchJob | None:
        with self._database.transaction() as cursor:
            cursor.execute(FETCH["begin"], {"id": id, "seconds": seconds})
            row = cursor.fetchone()
            return None if row is None else FetchJob(as_job(row), row.url, row.tries)

    def release(self, job: Job) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(FETCH["release"], {"number": job.number})

    def is_wanted(self, job: Job) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(FETCH["is_wanted"], {"number": job.number})
            return bool(cursor.rowcount)

    def forget(self, job: Job) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(FETCH["forget"], {"number": job.number})

    def job_of(self, stored: StoredObject, *, validate_only: bool) -> Job | None:
        values = {
            "bucket": stored.bucket,
            "key": stored.key,
            "etag": stored.etag,
            "version_id": stored.version_id,
            "validate_only": validate_only,
        }
        with self._database.transaction() as cursor:
            cursor.execute(FETCH["of_object"], values)
            row = cursor.fetchone()
            return None if row is None else as_job(row)

    def same_file(self, key: str, sha256: str, size: int) -> UUID | None:
        values = {"bucket": self._bucket, "key": key, "sha256": sha256, "size": size}
        with self._database.transaction() as cursor:
            cursor.execute(FETCH["of_sha256"], values)
            same = cursor.fetchone()
            if same is None:
                return None
            cursor.execute(JOBS["find_same_bytes"], {**values, "etag": same.etag, "revision": ""})
            earlier = cursor.fetchone()
            if earlier is None:
                return None
            cursor.execute(FETCH["by_number"], {"number": earlier.number})
            id: UUID = cursor.fetchone().id
            return id
