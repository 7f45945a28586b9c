"""Datasets, read from the descriptors that ship with the code."""

import json
from pathlib import Path

import yaml

from chalicelib.core.dataset import Dataset, parse_dataset
from chalicelib.errors import DescriptorError

SHIPPED = Path(__file__).parent.parent / "datasets"


def load_datasets(folder: Path = SHIPPED) -> dict[str, Dataset]:
    """Every descriptor (``*.yaml``, ``*.yml``, ``*.json``) of a folder, by dataset name.

    Raises:
        DescriptorError: a descriptor is wrong, or two have one name.
    """
    datasets: dict[str, Dataset] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".yaml", ".yml", ".json"):
            continue
        text = path.read_text(encoding="utf-8")
        try:
            descriptor = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except (ValueError, yaml.YAMLError) as error:
            raise DescriptorError(path.name, [f"cannot be parsed: {error}"]) from None
        dataset = parse_dataset(descriptor)
        if dataset.name in datasets:
            raise DescriptorError(path.name, [f"name: {dataset.name} is declared twice"])
        datasets[dataset.name] = dataset
    return datasets
