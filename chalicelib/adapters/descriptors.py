"""Datasets, read from the descriptors that ship with the code, or that somebody wants to be checked."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chalicelib.core.dataset import Dataset, parse_dataset
from chalicelib.core.foreign import check_references
from chalicelib.errors import DescriptorError

SHIPPED = Path(__file__).parent.parent / "datasets"
SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 1 << 20


@dataclass(slots=True)
class Descriptor:
    """One file: the dataset that it declares, if that much is right, and all that is wrong with it.

    ``name`` is what it calls its dataset, whether right or not; None where it does not say so.
    """

    path: Path
    name: str | None = None
    dataset: Dataset | None = None
    problems: list[str] = field(default_factory=list)


def load_datasets(folder: Path = SHIPPED) -> dict[str, Dataset]:
    """Every descriptor (``*.yaml``, ``*.yml``, ``*.json``) of a folder, by dataset name.

    Raises:
        DescriptorError: descriptors are wrong; it tells all that is wrong with each, after its file's name.
    """
    descriptors = read_descriptors([folder])
    wrong = [read for read in descriptors if read.problems]
    if wrong:
        problems = [f"{read.path.name}: {problem}" for read in wrong for problem in read.problems]
        raise DescriptorError(", ".join(read.name or "(no name)" for read in wrong), problems)
    return {read.dataset.name: read.dataset for read in descriptors if read.dataset is not None}


def read_descriptors(paths: Sequence[Path]) -> list[Descriptor]:
    """Every descriptor of these files and folders, each with all that is wrong with it and with what it refers to."""
    descriptors = [_read(path) for path in _files(paths)]
    first: dict[str, Path] = {}
    for read in descriptors:
        if read.name is not None and first.setdefault(read.name, read.path) != read.path:
            read.problems.append(f"name: {read.name} is declared twice, here and in {first[read.name].name}")
    right = {read.dataset.name: read for read in descriptors if read.dataset is not None and not read.problems}
    unread = {read.name for read in descriptors if read.name is not None} - right.keys()
    datasets = {name: read.dataset for name, read in right.items() if read.dataset is not None}
    for name, problems in check_references(datasets, unread).items():
        right[name].problems += problems
    return descriptors


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(file for file in path.iterdir() if file.suffix in SUFFIXES) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def _read(path: Path) -> Descriptor:
    read = Descriptor(path)
    try:
        descriptor = _parse(path)
        if not isinstance(descriptor, dict):
            raise ValueError("must be an object of keys and values")
        read.name = name if isinstance(name := descriptor.get("name"), str) else None
        read.dataset = parse_dataset(descriptor)
    except DescriptorError as error:
        read.problems += error.problems
    except OSError as error:
        read.problems.append(f"cannot be read: {error.strerror}")
    except RecursionError:
        read.problems.append("is nested too deep")
    except (ValueError, yaml.YAMLError) as error:
        read.problems.append(_said(error))
    return read


def _parse(path: Path) -> object:
    if path.suffix not in SUFFIXES:
        raise ValueError(f"is no descriptor: its name must end in {', '.join(SUFFIXES)}")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES} bytes, the most that a descriptor may have")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text, object_pairs_hook=_json_object)
    return yaml.load(text, Loader=_Loader)  # noqa: S506 (it is a safe loader)


def _json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key {key} stands twice in one object")
    return dict(pairs)


class _Loader(yaml.SafeLoader):
    """YAML without keys that stand twice, of which the last one would win without a word."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:  # type: ignore[override]
        node: yaml.MappingNode = super().compose_mapping_node(anchor)  # type: ignore[arg-type]
        lines: dict[str, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in lines:
                problem = f"the key {key.value} stands twice, here and on line {lines[key.value]}"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            lines[key.value] = key.start_mark.line + 1
        return node


def _said(error: ValueError | yaml.YAMLError) -> str:
    """What is wrong with a file that cannot be parsed, with line and column where they are known."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        context = f" {error.context}" if error.context else ""
        return f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}: {error.problem}{context}"
    return str(error)
