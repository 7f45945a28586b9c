"""Every metric that dropload has, and its unit; docs/operations.md says what each is for, and a test that it does."""

from enum import StrEnum


class Metric(StrEnum):
    """The names are the ones that dashboards and alarms know."""

    RECORDS_READ = "RecordsRead"
    RECORDS_INSERTED = "RecordsInserted"
    RECORDS_UPDATED = "RecordsUpdated"
    RECORDS_UNCHANGED = "RecordsUnchanged"
    RECORDS_IGNORED = "RecordsIgnored"
    RECORDS_REJECTED = "RecordsRejected"
    BYTES_LOADED = "BytesLoaded"
    BATCHES_LOADED = "BatchesLoaded"
    BATCHES_FAILED = "BatchesFailed"
    READ_SECONDS = "ReadSeconds"
    PARSE_SECONDS = "ParseSeconds"
    CLAIM_SECONDS = "ClaimSeconds"
    PLACE_SECONDS = "PlaceSeconds"
    BOOK_SECONDS = "BookSeconds"
    JOBS_STARTED = "JobsStarted"
    JOBS_COMPLETED = "JobsCompleted"
    JOBS_COMPLETED_WITH_FAILURES = "JobsCompletedWithFailures"
    JOBS_FAILED = "JobsFailed"
    JOBS_CANCELLED = "JobsCancelled"
    JOBS_DUPLICATE = "JobsDuplicate"
    JOB_SECONDS = "JobSeconds"
    JOBS_OPEN = "JobsOpen"
    OLDEST_PENDING_SECONDS = "OldestPendingSeconds"
    SWEEPS = "Sweeps"
    SWEPT_OBJECTS = "SweptObjects"
    SWEPT_MISSED = "SweptMissed"
    SWEPT_STUCK = "SweptStuck"
    SWEPT_RESUMED = "SweptResumed"
    SWEPT_RESENT = "SweptResent"
    SWEPT_FINISHED = "SweptFinished"
    SWEPT_TAKEN_BACK = "SweptTakenBack"
    SWEPT_GIVEN_UP = "SweptGivenUp"
    SWEPT_RETRIED = "SweptRetried"
    SWEPT_EXHAUSTED = "SweptExhausted"
    SWEPT_OPENED = "SweptOpened"
    SWEPT_NOTICES = "SweptNotices"
    SWEPT_EXPORTS = "SweptExports"
    SWEPT_UNDOS = "SweptUndos"
    SWEPT_FORGOTTEN = "SweptForgotten"
    SWEPT_TIDIED = "SweptTidied"
    SWEPT_DROPPED = "SweptDropped"
    SWEPT_LETTERS = "SweptLetters"
    SWEPT_FAILURES = "SweptFailures"
    NOTICES_SENT = "NoticesSent"
    NOTICES_FAILED = "NoticesFailed"
    FAILURES = "Failures"
    API_2XX = "Api2xx"
    API_3XX = "Api3xx"
    API_4XX = "Api4xx"
    API_5XX = "Api5xx"
    API_SECONDS = "ApiSeconds"

    @property
    def unit(self) -> str:
        """What its values are: ``Count``, ``Seconds`` or ``Bytes``."""
        if self.endswith("Seconds"):
            return "Seconds"
        return "Bytes" if self.startswith("Bytes") else "Count"


COUNTED = {
    "read": Metric.RECORDS_READ,
    "inserted": Metric.RECORDS_INSERTED,
    "updated": Metric.RECORDS_UPDATED,
    "unchanged": Metric.RECORDS_UNCHANGED,
    "ignored": Metric.RECORDS_IGNORED,
    "rejected": Metric.RECORDS_REJECTED,
}
"""The metric of each of a batch's counts."""
PHASES = {
    "read": Metric.READ_SECONDS,
    "parse": Metric.PARSE_SECONDS,
    "claim": Metric.CLAIM_SECONDS,
    "place": Metric.PLACE_SECONDS,
    "book": Metric.BOOK_SECONDS,
}
"""The metric of each phase of a batch."""
ENDED = {
    "COMPLETED": Metric.JOBS_COMPLETED,
    "COMPLETED_WITH_FAILURES": Metric.JOBS_COMPLETED_WITH_FAILURES,
    "FAILED": Metric.JOBS_FAILED,
    "CANCELLED": Metric.JOBS_CANCELLED,
}
"""The metric of each state that a job ends in."""
API = {2: Metric.API_2XX, 3: Metric.API_3XX, 4: Metric.API_4XX, 5: Metric.API_5XX}
"""The metric of each class of HTTP statuses."""
