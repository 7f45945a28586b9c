"""Single records. What their members are, each dataset's descriptor says."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator

from chalicelib.api.models.common import Input, Output, storable
from chalicelib.api.models.jobs import Counts
from chalicelib.services.records import MAX_RECORDS

Wanted = Annotated[str, Field(max_length=1000), AfterValidator(storable)]
_FILTERS = 8


class RecordsQuery(BaseModel):
    """A page of records. All other parameters are filters: fields of the dataset, with values as files have them."""

    model_config = ConfigDict(
        extra="allow",
        hide_input_in_errors=True,
        json_schema_extra={"maxProperties": _FILTERS, "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,58}$"}},
    )
    __pydantic_extra__: dict[str, Wanted]

    limit: int = Field(default=100, ge=1, le=1000)
    cursor: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _few(self) -> Self:
        if len(self.__pydantic_extra__) > _FILTERS:
            raise ValueError(f"at most {_FILTERS} filters")
        return self


class DeleteQuery(Input):
    """``confirm`` is the dataset's name."""

    confirm: Annotated[str, Field(max_length=1024)] | None = None


class RecordBody(RootModel[dict[str, Any]]):
    """A record: the members are the dataset's fields, by the rules of its JSON Lines files."""


class RecordsBody(RootModel[list[dict[str, Any]]]):
    """Records, each by the rules of a line of a JSON Lines file."""

    root: list[dict[str, Any]] = Field(max_length=MAX_RECORDS)


class Record(BaseModel):
    """A record, as a JSON Lines export has it, and the row's own id."""

    model_config = ConfigDict(extra="allow")

    id: int


class RecordPage(Output):
    """Records in the order of their ids."""

    items: list[Record]
    next_cursor: str | None


class RecordError(Output):
    """One thing that is wrong with a record, as error files name it."""

    column: str | None = Field(description="null where the record as a whole is at fault")
    code: str
    message: str


class WrittenRecord(Output):
    """What became of a record of a batch: 201 made a row, 200 is one that was there, 409 a key is taken, 422 wrong."""

    status: int
    id: int | None
    errors: list[RecordError]


class WrittenRecords(Output):
    """What became of each record of a batch, in its order, and the counts that a file's books would have."""

    counts: Counts
    items: list[WrittenRecord]


class Deleted(Output):
    """How many records there were."""

    deleted: int
