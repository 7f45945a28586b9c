"""By what a dataset's records may be looked up: only by what an index serves, however many rows there are."""

from collections.abc import Collection

from chalicelib.core.schema import Dataset


def filters_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the fields that are filters by themselves: the declared ones, and those that begin a key."""
    return tuple(dict.fromkeys((*dataset.filters, *(key[0] for key in dataset.unique_keys))))


def is_served(dataset: Dataset, name: str, given: Collection[str]) -> bool:
    """Tell whether a field may be a filter beside these: by itself, or after all that come before it in a key."""
    if name in filters_of(dataset):
        return True
    return any(name in key and set(key[: key.index(name)]) <= set(given) for key in dataset.unique_keys)


def described(dataset: Dataset) -> str:
    """Return the dataset's filters as a message lists them."""
    own = filters_of(dataset)
    later = {name: key[:at] for key in dataset.unique_keys for at, name in enumerate(key) if at and name not in own}
    return ", ".join([*own, *(f"{name} (with {' and '.join(needed)})" for name, needed in later.items())]) or "none"
