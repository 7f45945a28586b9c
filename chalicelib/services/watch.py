"""Watch: put into the outbox what no job tells of: how a day went, and which file did not come."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.core.daily import bounds, last_day
from chalicelib.core.dataset import Dataset
from chalicelib.core.schema import Tell
from chalicelib.services.ports import Datasets
from chalicelib.services.post_ports import Watched

_KEPT = timedelta(days=90)


class Watch:
    """Asked on a schedule. A letter is put in once, however often that is; sending it is for others."""

    def __init__(self, *, post: Watched, datasets: Datasets, digest_hour: int) -> None:
        self._post = post
        self._datasets = datasets
        self._digest_hour = digest_hour

    def run(self, now: datetime) -> int:
        """The number of letters that were put into the outbox. ``now`` has a time zone."""
        self._post.forget(now - _KEPT)
        return sum(self._days(now)) + sum(self._late(now))

    def _days(self, now: datetime) -> Iterator[bool]:
        """Whether a letter was put in, for each that there may be of the last day whose letters are due."""
        day = last_day(now, self._digest_hour)
        start, end = bounds(day)
        for name in self._post.active(start, end):
            dataset = self._datasets.get(name)
            if dataset is not None and dataset.owners and dataset.notify in (Tell.ALL, Tell.DIGEST):
                yield self._post.add("day", "owners", name, day.isoformat())
        if self._post.ours(start, end):
            yield self._post.add("day", "engineers", "", day.isoformat())

    def _late(self, now: datetime) -> Iterator[bool]:
        """As ``_days``, for each dataset of which no file has come by the last time that one was expected."""
        for dataset in self._datasets.values():
            if dataset.expected is None:
                continue
            deadline, counts_from = dataset.expected.deadline(now)
            since = self._post.expected_since(dataset.name, dataset.expected.text, now)
            if since < deadline and not self._post.came(dataset.name, counts_from, now):
                for audience in _told(dataset):
                    yield self._post.add("late", audience, dataset.name, deadline.isoformat())


def _told(dataset: Dataset) -> list[str]:
    owners = bool(dataset.owners) and dataset.notify is not Tell.NONE
    return ["owners", "engineers"] if owners else ["engineers"]
