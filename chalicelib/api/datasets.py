"""``/v1/datasets``: what can be loaded, how much there is of it, and how much comes."""

from chalicelib.api.models.datasets import Dataset, DatasetPage, VolumePage, VolumesQuery
from chalicelib.api.routing import Answer, Routes
from chalicelib.bootstrap import container
from chalicelib.core.access import Caller, Scope

routes = Routes(__name__)


@routes.get("/v1/datasets", Scope.READ, answers={200: DatasetPage})
def list_datasets(caller: Caller) -> Answer:
    """All datasets that are there for the caller."""
    return {"items": container().dataset_answers.all(caller), "next_cursor": None}


@routes.get("/v1/datasets/{name}", Scope.READ, answers={200: Dataset}, refuses=(404,))
def get_dataset(caller: Caller, name: str) -> Answer:
    """One dataset: its descriptor, how many rows it has, and its newest jobs."""
    return container().dataset_answers.get(caller, name)


@routes.get("/v1/datasets/{name}/volumes", Scope.READ, answers={200: VolumePage}, refuses=(404,))
def get_volumes(caller: Caller, name: str, query: VolumesQuery) -> Answer:
    """Files, records and rejected records of each of the last days."""
    return {"items": container().dataset_answers.volumes(caller, name, query.days), "next_cursor": None}
