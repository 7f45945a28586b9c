"""Erasures of persons."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chalicelib.api.models.common import Input, Moment, Name, Output, storable

Value = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(storable)]


class ErasureRequest(Input):
    """Whose records: values, as files have them, of fields that are a key or a filter. All of them must be met."""

    key: dict[Name, Value] = Field(min_length=1, max_length=10)


class Erased(Output):
    """How many of what were erased; error files are written anew without them.

    ``kept_answers`` are all of the dataset's that were kept for ``Idempotency-Key``, whomever they tell of.
    """

    rows: int
    rejected_records: int
    error_files: int
    earlier_values: int
    kept_answers: int
    export_filters: int


class InputFile(Output):
    """A file that came with some of the records."""

    key: str
    version_id: str | None


class MayHold(Output):
    """What may hold the person's records yet, and is not touched: at most 100 of each kind, and jobs under way."""

    input: list[InputFile]
    staging: list[str]
    output: list[str]
    open_jobs: int


class ErasureLinks(Output):
    """Where to go on."""

    self: str


class Erasure(Output):
    """What was erased; finished when no error files are left to be written. The values are kept nowhere."""

    id: UUID
    dataset: str
    columns: list[str]
    erased: Erased
    error_files_left: int
    may_hold: MayHold
    created_at: Moment
    finished_at: Moment | None
    links: ErasureLinks
