"""What rows are looked up by, as requests say it: values as files have them, by field."""

from collections.abc import Mapping

from chalicelib.core.dataset import Dataset
from chalicelib.core.filtering import described, is_served
from chalicelib.core.rejection import RecordError
from chalicelib.core.values import compile_check
from chalicelib.errors import RequestRefused


def check_filters(dataset: Dataset, filters: Mapping[str, str], *, within: str = "") -> dict[str, str | None]:
    """Filters' values as the rules convert them.

    Raises RequestRefused with 400: no index serves such filters, or they have no such values; messages call each field
    by its name, after ``within`` if the request has it in there.
    """
    known = {field.name for field in dataset.fields}
    if not all(name in known and is_served(dataset, name, filters) for name in filters):
        raise RequestRefused(400, "bad-filter", f"the dataset's filters are: {described(dataset)}")
    return convert(dataset, filters, "bad-filter", within=within)


def convert(
    dataset: Dataset, texts: Mapping[str, str], code: str, *, within: str, empty: bool = True
) -> dict[str, str | None]:
    """Values of fields that there are as the rules convert them, missing ones only where they may be ``empty``.

    Raises RequestRefused with 400 and ``code``, naming what is wrong.
    """
    errors: list[RecordError] = []
    values = {name: compile_check(dataset.field(name))(text, errors) for name, text in texts.items()}
    if not empty:
        errors += [RecordError(name, "constraint-error", "must not be empty") for name in texts if not values[name]]
    if errors:
        raise RequestRefused(400, code, "; ".join(f"{within}{error.column}: {error.message}" for error in errors))
    return values
