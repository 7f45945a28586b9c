"""Datasets: what is declared, and how much there is."""

from typing import Any

from pydantic import Field

from chalicelib.api.models.common import Input, Output
from chalicelib.api.models.jobs import Job


class VolumesQuery(Input):
    """The last days, today's among them."""

    days: int = Field(default=30, ge=1, le=366)


class Rows(Output):
    """How many rows there are; estimated, as the planner does it, where counting would take long."""

    count: int
    estimated: bool


class DatasetLinks(Output):
    """Where more is found."""

    self: str
    records: str
    volumes: str


class DatasetSummary(Output):
    """A dataset."""

    name: str
    title: str
    on_conflict: str
    rows: Rows
    links: DatasetLinks


class Dataset(DatasetSummary):
    """A dataset with its descriptor (a Frictionless Data Resource) and its newest jobs."""

    descriptor: dict[str, Any]
    jobs: list[Job]


class DatasetPage(Output):
    """Datasets by name; all are on one page."""

    items: list[DatasetSummary]
    next_cursor: None


class Volume(Output):
    """What was loaded on a day (UTC): files, the records read in them, and those of them that were rejected."""

    day: str
    files: int
    records: int
    rejected: int


class VolumePage(Output):
    """Days, the newest last; all are on one page."""

    items: list[Volume]
    next_cursor: None
