"""What a file comes in, and what becomes of it: every form meets validation, atomic, replace, redrive, exports."""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core.access import EVERYONE
from chalicelib.core.dataset import parse_dataset
from chalicelib.services.export_ports import ExportFormat
from tests.integration.test_meetings import VALIDATE, things
from tests.policies import lines, with_policies
from tests.system import System
from tests.tables import workbook

BAD = [(1, "a"), ("x", "b"), (3, "c"), ("y", "d é")]  # lines 3 and 5 are wrong


def csv_of(rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in [("code", "tag"), *rows])


def json_of(rows: Sequence[Sequence[object]]) -> str:
    return "".join(json.dumps(dict(zip(("code", "tag"), row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", data)
    return out.getvalue()


PARENTS: Mapping[str, tuple[str, bytes, Mapping[str, Any]]] = {
    "plain": ("a.csv", csv_of(BAD).encode(), {}),
    "json lines": ("a.jsonl", json_of(BAD).encode(), {}),
    "a dataset of json lines": ("a", json_of(BAD).encode(), {"format": "jsonl"}),
    "a dataset of latin json lines": (
        "a",
        json_of(BAD).encode("cp1252"),
        {"format": "jsonl", "dialect": {"encoding": "windows-1252"}},
    ),
    "gzip": ("a.csv.gz", gzip.compress(csv_of(BAD).encode()), {}),
    "zip": ("a.zip", zipped(csv_of(BAD).encode()), {}),
    "packed json lines": ("a.jsonl.gz", gzip.compress(json_of(BAD).encode()), {}),
    "utf-16": ("a.csv", csv_of(BAD).encode("utf-16"), {}),
    "declared utf-16": ("a.csv", csv_of(BAD).encode("utf-16-le"), {"dialect": {"encoding": "utf-16-le"}}),
    "latin": ("a.csv", csv_of(BAD).encode("cp1252"), {"dialect": {"encoding": "windows-1252"}}),
    "a detected delimiter": ("a.csv", csv_of(BAD, ";").encode(), {}),
    "a detected delimiter, packed": ("a.gz", gzip.compress(csv_of(BAD, ";").encode()), {}),
    "a declared delimiter": ("a.csv", csv_of(BAD, "|").encode(), {"dialect": {"delimiter": "|"}}),
    "a workbook": ("a.xlsx", workbook([["code", "tag"], *BAD]), {}),
    "a workbook of a dataset of json lines": ("a.xlsx", workbook([["code", "tag"], *BAD]), {"format": "jsonl"}),
    "a workbook of a latin dataset": (
        "a.xlsx",
        workbook([["code", "tag"], *BAD]),
        {"dialect": {"encoding": "windows-1252"}},
    ),
    "no header": ("a.csv", csv_of(BAD).partition("\n")[2].encode(), {"dialect": {"header": False}}),
    "a workbook without a header": ("a.xlsx", workbook(BAD), {"dialect": {"header": False}}),
    "two rows of header": (
        "a.csv",
        b"co,ta\nde,g\n" + csv_of(BAD).partition("\n")[2].encode(),
        {"dialect": {"headerRows": [1, 2], "headerJoin": ""}},
    ),
    "a workbook with two rows of header": (
        "a.xlsx",
        workbook([["co", "ta"], ["de", "g"], *BAD]),
        {"dialect": {"headerRows": [1, 2], "headerJoin": ""}},
    ),
}


@pytest.mark.parametrize("form", PARENTS)
@pytest.mark.parametrize("policy", ["reject", "replace"])
def test_rejected_records_of_any_form_are_redriven_as_corrections(system: System, form: str, policy: str) -> None:
    name, data, changes = PARENTS[form]
    descriptor = things(**changes, dropload={"on_conflict": policy})
    system = with_policies(system, [descriptor])
    parent = system.load(data, key=f"input/things/{name}")
    assert (parent["state"], parent["counts"]["inserted"], parent["counts"]["rejected"]) == (
        "COMPLETED_WITH_FAILURES",
        2,
        2,
    )
    descriptor["schema"]["fields"][0]["missingValues"] = ["", "x", "y"]  # mended: what was wrong is a null now
    system.container.datasets["things"] = parse_dataset(descriptor)
    child = system.container.jobs.get(EVERYONE, system.container.redrive.run(UUID(parent["id"])))
    system.pump()
    child = system.container.jobs.get(EVERYONE, UUID(child["id"]))
    assert (child["state"], child["reason"], child["parent"]) == ("COMPLETED", None, parent["id"])
    assert child["counts"]["inserted"] == 2
    assert system.job(f"input/things/{name}")["resolved"] == 2
    assert system.rows("select code, tag from things order by tag") == [(1, "a"), (None, "b"), (3, "c"), (None, "d é")]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16-le"])
@pytest.mark.parametrize("header", [True, False])
def test_an_export_dropped_again_is_read_as_it_was_written(
    system: System, encoding: str, format: ExportFormat, header: bool
) -> None:
    system = with_policies(system, [things(dialect={"encoding": encoding, "header": header})])
    rows = [(1, "é"), (2, "Ω"), (3, "z")]
    export = exported(system, format)
    assert export["parts"] == [] or header  # of an empty table, nothing but a header is written
    system.rows("insert into things (code, tag) values (1, 'é'), (2, 'Ω'), (3, 'z')")
    [part] = exported(system, format)["parts"]
    data = system.file(part["key"])
    system.rows("delete from things")
    job = system.load(data, key=f"input/things/again.{format}")
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 3)
    assert system.rows("select code, tag from things order by code") == rows


def exported(system: System, format: str) -> dict[str, Any]:
    exports = system.container.exports
    export = exports.start(
        EVERYONE, "things", format=ExportFormat(format), filters={}, max_part_bytes=1 << 20, with_id=False
    )
    system.pump()
    export = exports.get(EVERYONE, UUID(export["id"]))
    assert export["state"] == "COMPLETED", export["reason"]
    return export


@pytest.mark.parametrize("form", PARENTS)
@pytest.mark.parametrize("policy", ["reject", "update", "replace"])
def test_a_file_of_any_form_is_validated_as_it_is_loaded(system: System, form: str, policy: str) -> None:
    name, data, changes = PARENTS[form]
    descriptor = things(**changes, dropload={"on_conflict": policy, "after_load": "delete"})
    descriptor["schema"]["fields"][0]["constraints"]["required"] = True
    system = with_policies(system, [descriptor])
    first = system.load(lines("code,tag", [(3, "old")]), key="input/things/0.csv") if form == "plain" else None
    tried = system.load(data, key=f"input/things/{name}", metadata=VALIDATE)
    assert system.rows("select tag from things") == ([("old",)] if first else [])
    loaded = system.load(data, key=f"input/things/{name}")
    for what in ("state", "counts", "causes"):
        assert tried[what] == loaded[what]
    assert loaded["counts"]["rejected"] == (3 if first and policy == "reject" else 2)


@pytest.mark.parametrize("form", PARENTS)
def test_a_file_of_any_form_is_taken_whole_or_not_at_all(system: System, form: str) -> None:
    name, data, changes = PARENTS[form]
    descriptor = things(**changes, dropload={"atomic": True, "after_load": "archive"})
    system = with_policies(system, [descriptor])
    job = system.load(data, key=f"input/things/{name}")
    assert (job["state"], job["reason"]["code"], job["counts"]["inserted"]) == ("FAILED", "atomic", 0)
    assert system.rows("select code from things") == []
    assert system.objects("input/things/") == [f"input/things/{name}"]
    descriptor["schema"]["fields"][0]["missingValues"] = ["", "x", "y"]
    system.container.datasets["things"] = parse_dataset(descriptor)
    again = system.load(data, key=f"input/things/again/{name}")
    assert (again["state"], again["counts"]["inserted"], again["balanced"]) == ("COMPLETED", 4, True)
    assert system.objects("input/things/") == [f"input/things/{name}"]


def test_a_validated_correction_resolves_nothing(system: System) -> None:
    system = with_policies(system, [things(dropload={"atomic": False})])
    parent = system.load(csv_of(BAD).encode(), key="input/things/a.csv")
    mended = system.rejected_csv(parent).replace(b"x,b", b"2,b").replace(b"y,d", b"4,d")
    key = f"input/things/job={parent['id']}/rejected.csv"
    tried = system.load(mended, key=key, metadata=VALIDATE)
    assert (tried["state"], tried["parent"], tried["counts"]["inserted"]) == ("COMPLETED", parent["id"], 2)
    assert system.job("input/things/a.csv")["resolved"] == 0
    loaded = system.load(mended, key=key)
    assert (loaded["state"], loaded["parent"], loaded["counts"]["inserted"]) == ("COMPLETED", parent["id"], 2)
    assert system.job("input/things/a.csv")["resolved"] == 2


@pytest.mark.parametrize("how", ["stopped", "cancelled"])
@pytest.mark.parametrize("policy", ["reject", "replace"])
@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl", "a.xlsx"])
def test_a_job_that_ends_before_it_is_cut_to_its_end_leaves_nothing_open(
    system: System, name: str, policy: str, how: str
) -> None:
    dropload = {"on_conflict": policy, "after_load": "delete"}
    rows = [("x" if n < 5 else n, f"no. {n}") for n in range(300)]
    data = {
        "a.csv.gz": gzip.compress(csv_of(rows).encode()),
        "a.jsonl": json_of(rows).encode(),
        "a.xlsx": workbook([["code", "tag"], *rows]),
    }[name]
    descriptor = things(dropload={**dropload, **({"max_errors": 3} if how == "stopped" else {})})
    system = with_policies(system, [descriptor], batch_bytes=200, max_record_bytes=100, chunk_bytes=300)
    system.rows("insert into things (code, tag) values (-1, 'old')")
    key = f"input/things/{name}"
    system.drop(key, data)
    while not (announced := system.announced()):
        pass
    system.container.split.announced(announced[0], lambda: 1.0)
    id = UUID(system.job(key)["id"])
    if name == "a.xlsx":
        [(body, delete)] = system.receive(system.settings.convert_queue)
        system.container.intake.convert(body, lambda: 1.0)
        delete()
    cut = system.job(key)["progress"]["batches"]["pending"]
    assert cut > 0
    if how == "cancelled":
        system.rows("update dropload.job set state = 'CANCELLING' where id = %s", str(id))
    else:
        system.deliver(system.settings.batch_queue)  # before the splitter goes on
    system.pump()
    job = system.job(key)
    assert (job["state"], job["balanced"]) == (("CANCELLED" if how == "cancelled" else "FAILED"), True)
    assert sum(job["progress"]["batches"].values()) == cut
    assert job["counts"]["inserted"] == 0 or policy == "reject"
    assert system.rows("select tag from things where code = -1") == [("old",)]
    assert system.rows("select count(*) from things") == [(1 + job["counts"]["inserted"],)]
    assert system.rows("select relname from pg_class where relname ~ '^shadow_[0-9]+$'") == []
    assert system.objects(key) == [key]
