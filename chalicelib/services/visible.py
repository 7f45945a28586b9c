"""What of this deployment a caller may know of."""

from chalicelib.core.access import Caller
from chalicelib.core.dataset import Dataset
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Datasets


def visible(datasets: Datasets, caller: Caller, name: str) -> Dataset:
    """The dataset of this name.

    Raises:
        RequestRefused: 404, whether there is none or the caller may not see it: names are nobody else's business.
    """
    dataset = datasets.get(name)
    if dataset is None or not caller.sees(name):
        raise RequestRefused(404, "not-found", "there is no dataset with this name")
    return dataset
