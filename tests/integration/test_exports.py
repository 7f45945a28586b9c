"""A dataset written out: one moment of it, in parts of a bounded size, by as many workers as that takes."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from contextlib import closing
from itertools import chain, pairwise, repeat
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from chalicelib.adapters.aws import client
from chalicelib.core.access import EVERYONE
from chalicelib.core.parts import csv_part
from chalicelib.errors import RequestRefused, Transient
from chalicelib.services.export import Export
from chalicelib.services.export_ports import ExportFormat
from tests.system import System

Json = dict[str, Any]
PLAYS = "song,date,plays\n"


def hurried() -> Callable[[], float]:
    """Time for a snapshot or a part, and then none."""
    left = chain([900.0], repeat(1.0))
    return lambda: next(left)


def plays(count: int, song: str = "song") -> bytes:
    song = song.replace('"', '""')
    return (
        PLAYS + "".join(f'"{song} {n:05d}",2026-01-{1 + n % 28:02d},{n}\n' for n in reversed(range(count)))
    ).encode()


def start(system: System, dataset: str = "plays", **wanted: Any) -> Json:
    asked = {"format": ExportFormat.CSV, "filters": {}, "max_part_bytes": 500_000_000, "with_id": False, **wanted}
    return system.container.exports.start(EVERYONE, dataset, **asked)


def exported(system: System, dataset: str = "plays", **wanted: Any) -> Json:
    """An export, written to its end."""
    id = start(system, dataset, **wanted)["id"]
    system.pump()
    return system.container.exports.get(EVERYONE, UUID(id))


def parts(system: System, export: Json) -> list[bytes]:
    """The bytes of its parts, which are what the books say of them."""
    found = [system.file(part["key"]) for part in export["parts"]]
    for part, data in zip(export["parts"], found, strict=True):
        assert (part["bytes"], part["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    return found


def snapshots(system: System) -> list[Any]:
    return system.rows("select relname from pg_class where relname ~ '^export_[0-9]+$'")


def test_whole_dataset_comes_out_in_the_order_of_its_key(system: System) -> None:
    system.load(plays(500), key="input/plays/file.csv")
    export = exported(system)
    assert (export["state"], export["rows"], export["reason"]) == ("COMPLETED", 500, None)
    [data] = parts(system, export)
    lines = data.decode().splitlines()
    assert lines[0] == PLAYS.strip()
    assert lines[1:] == sorted(lines[1:])
    assert sorted(lines) == sorted(plays(500).decode().replace('"', "").splitlines())
    assert snapshots(system) == []


def test_manifest_lists_the_parts_and_what_they_are_of(system: System) -> None:
    system.load(plays(100), key="input/plays/file.csv")
    export = exported(system, filters={"date": "2026-01-03"}, max_part_bytes=1024, with_id=True)
    manifest = json.loads(system.file(export["manifest"]["key"]))
    assert export["manifest"]["key"] == f"output/plays/export={export['id']}/manifest.json"
    assert manifest["parts"] == [{k: v for k, v in part.items() if k != "url"} for part in export["parts"]]
    for name in ("id", "dataset", "format", "filters", "rows", "bytes", "snapshot_at"):
        assert manifest[name] == export[name]
    assert manifest["columns"] == ["id", "song", "date", "plays"]
    assert manifest["rows"] == 4


@pytest.mark.parametrize("format", list(ExportFormat))
@pytest.mark.parametrize("limit", [1024, 1777, 5000, 20_000])
def test_no_part_is_larger_than_the_limit_and_none_is_lost(system: System, format: ExportFormat, limit: int) -> None:
    if format is ExportFormat.PARQUET and limit < 5000:
        limit += 2000  # what a file of it takes with nothing in it
    system.load(plays(700, 'so, "long" ø'), key="input/plays/file.csv")
    export = exported(system, format=format, max_part_bytes=limit)
    assert (export["state"], export["reason"]) == ("COMPLETED", None)
    assert max(part["bytes"] for part in export["parts"]) <= limit
    files = parts(system, export)
    if format is not ExportFormat.PARQUET:
        head = 1 if format is ExportFormat.CSV else 0
        assert all(len(one) + len(later.splitlines()[head]) + 1 > limit for one, later in pairwise(files))
    rows = [row for data in files for row in read(data, format)]
    assert rows == system.rows("select song, date::text, plays from plays order by song, date")
    assert sum(part["rows"] for part in export["parts"]) == export["rows"] == 700


def read(data: bytes, format: ExportFormat) -> list[tuple[Any, ...]]:
    if format is ExportFormat.CSV:
        header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
        assert header == ["song", "date", "plays"]
        return [(song, date, int(count)) for song, date, count in rows]
    if format is ExportFormat.JSONL:
        return [tuple(json.loads(line).values()) for line in data.decode().split("\n")[:-1]]
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(data))
    return [(row["song"], row["date"].isoformat(), row["plays"]) for row in table.to_pylist()]


@pytest.mark.parametrize("format", list(ExportFormat))
def test_record_larger_than_a_part_fails_clearly(system: System, format: ExportFormat) -> None:
    noise = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(120))
    header = "name,sku,description,status\n"
    good = "".join(f"n,sku{n},{noise[:100]},active\n" for n in range(20))
    data = f"{header}{good}n,x,{noise[:5000]},active\n".encode()
    assert system.load(data, key="input/products/file.csv")["counts"]["inserted"] == 21
    export = exported(system, "products", format=format, max_part_bytes=4000)
    assert (export["state"], export["reason"]["code"]) == ("FAILED", "record-too-large")
    assert export["reason"]["class"] == "request"
    assert snapshots(system) == []


@pytest.mark.parametrize(("format", "parts"), [("csv", 1), ("jsonl", 0), ("parquet", 1)])
def test_empty_dataset_has_its_columns_and_no_rows(system: System, format: str, parts: int) -> None:
    export = exported(system, format=ExportFormat(format))
    assert (export["state"], export["rows"], len(export["parts"])) == ("COMPLETED", 0, parts)
    if format == "csv":
        assert system.file(export["parts"][0]["key"]).decode() == PLAYS
    assert json.loads(system.file(export["manifest"]["key"]))["rows"] == 0


def test_filters_choose_rows_by_value_and_by_none(system: System) -> None:
    header = "name,sku,description,status\n"
    system.load(f"{header}a,1,,active\nb,2,,inactive\nc,3,,active\n".encode(), key="input/products/file.csv")
    [data] = parts(system, exported(system, "products", filters={"status": "active"}))
    assert data.decode() == f"{header}a,1,,active\nc,3,,active\n"


def test_keys_are_filters_as_they_are_of_records(system: System) -> None:
    system.load(b"song,date,plays\na,2026-01-01,1\nb,2026-01-01,2\na,2026-01-02,3\n", key="input/plays/file.csv")
    [data] = parts(system, exported(system, filters={"song": "a"}))
    assert data.decode() == f"{PLAYS}a,2026-01-01,1\na,2026-01-02,3\n"


@pytest.mark.parametrize(
    ("dataset", "filters", "status"),
    [
        ("nothing", {}, 404),
        ("plays", {"plays": "1"}, 400),
        ("plays", {"date": "2026-02-30"}, 400),
        ("members", {"account_id": "99999999999"}, 400),
        ("products", {"status": ""}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused_and_not_repeated(
    system: System, dataset: str, filters: dict[str, str], status: int
) -> None:
    with pytest.raises(RequestRefused) as refused:
        start(system, dataset, filters=filters)
    assert refused.value.status == status
    assert not any(value and value in refused.value.message for value in filters.values())


def test_rows_that_come_and_go_meanwhile_do_not_show(system: System) -> None:
    system.load(plays(300), key="input/plays/file.csv")
    before = system.rows("select song, date::text, plays from plays order by song, date")
    id = UUID(start(system, max_part_bytes=1024)["id"])
    system.container.export.run(id, hurried())  # the snapshot, and no time for more
    assert system.container.exports.get(EVERYONE, id)["parts"] == []
    system.rows("delete from plays where plays % 2 = 0")
    system.rows("update plays set plays = -1")
    system.rows("insert into plays (song, date, plays) values ('a', '2026-01-01', 1), ('zz', '2026-01-01', 1)")
    system.pump()
    export = system.container.exports.get(EVERYONE, id)
    assert len(export["parts"]) > 3
    assert [row for data in parts(system, export) for row in read(data, ExportFormat.CSV)] == before


@pytest.mark.parametrize("format", list(ExportFormat))
def test_export_handed_on_after_every_part_is_the_same_byte_for_byte(system: System, format: ExportFormat) -> None:
    system.load(plays(400), key="input/plays/file.csv")
    whole = exported(system, format=format, max_part_bytes=4096)
    id = UUID(start(system, format=format, max_part_bytes=4096)["id"])
    invocations = 0
    while messages := list(system.receive(system.settings.export_queue)):
        for body, delete in messages:
            system.container.intake.export(body, hurried())
            delete()
            invocations += 1
    piecemeal = system.container.exports.get(EVERYONE, id)
    assert invocations > len(piecemeal["parts"]) > 2
    assert parts(system, piecemeal) == parts(system, whole)


def test_message_delivered_again_writes_nothing_again(system: System) -> None:
    system.load(plays(50), key="input/plays/file.csv")
    id = UUID(start(system, max_part_bytes=1024)["id"])
    system.pump(times=3)
    export = system.container.exports.get(EVERYONE, id)
    assert export["state"] == "COMPLETED"
    for key in [part["key"] for part in export["parts"]] + [export["manifest"]["key"]]:
        listed = client("s3").list_object_versions(Bucket=system.settings.bucket, Prefix=key)
        assert len(listed["Versions"]) == 1


def test_who_finds_another_at_work_leaves_it_alone(system: System) -> None:
    id = UUID(start(system)["id"])
    other = System(system.settings, type(system.container)(system.settings))
    with system.container.export_ledger.working(id) as export:
        assert export is not None
        other.container.export.run(id, lambda: 900.0)
        assert other.container.exports.get(EVERYONE, id)["state"] == "PENDING"
    other.container.database.close()
    system.pump()
    assert system.container.exports.get(EVERYONE, id)["state"] == "COMPLETED"


def test_snapshot_that_a_crash_emptied_is_taken_again(system: System) -> None:
    system.load(plays(100), key="input/plays/file.csv")
    id = UUID(start(system, max_part_bytes=1024)["id"])
    system.container.export.run(id, hurried())
    system.container.export.run(id, hurried())
    [(name,)] = snapshots(system)
    assert len(system.container.exports.get(EVERYONE, id)["parts"]) == 1
    system.rows(f"truncate dropload.{name}")
    system.rows("delete from plays where song < 'song 00050'")
    system.pump()
    export = system.container.exports.get(EVERYONE, id)
    assert (export["state"], export["rows"]) == ("COMPLETED", 50)
    assert b"".join(data.removeprefix(PLAYS.encode()) for data in parts(system, export)).count(b"\n") == 50


def test_export_called_off_stops_and_leaves_no_snapshot(system: System) -> None:
    system.load(plays(100), key="input/plays/file.csv")
    id = UUID(start(system, max_part_bytes=1024)["id"])
    system.container.export.run(id, hurried())
    assert system.container.exports.cancel(EVERYONE, id)["state"] == "CANCELLED"
    assert snapshots(system) == []
    system.pump()
    assert system.container.exports.get(EVERYONE, id)["parts"] == []
    with pytest.raises(RequestRefused) as refused:
        system.container.exports.cancel(EVERYONE, id)
    assert refused.value.status == 409


def test_buried_export_has_failed_and_leaves_no_snapshot(system: System) -> None:
    id = UUID(start(system)["id"])
    system.container.export.run(id, hurried())
    for body, delete in system.receive(system.settings.export_queue):
        system.container.intake.bury_export(body)
        delete()
    export = system.container.exports.get(EVERYONE, id)
    assert (export["state"], export["reason"]["class"]) == ("FAILED", "transient")
    assert snapshots(system) == []
    system.container.intake.bury_export("no message of ours")


def test_buried_after_it_was_written_stays_completed(system: System) -> None:
    export = exported(system)
    system.container.intake.bury_export(json.dumps({"export": export["id"]}))
    assert system.container.exports.get(EVERYONE, UUID(export["id"]))["state"] == "COMPLETED"


def test_sweep_sends_again_what_stands_still_and_drops_what_was_left(system: System) -> None:
    id = UUID(start(system)["id"])
    client("sqs").purge_queue(QueueUrl=system.settings.export_queue)
    system.rows("create table dropload.export_77 ()")
    system.container.sweep.run()
    assert list(system.receive(system.settings.export_queue)) == []  # it is too young to stand still
    system.rows("update dropload.export set created_at = now() - interval '1 day'")
    system.container.sweep.run()
    system.container.sweep.run()
    assert len(system.deliver(system.settings.export_queue)) == 1
    assert system.container.exports.get(EVERYONE, id)["state"] == "COMPLETED"
    assert snapshots(system) == []


def test_snapshot_that_takes_too_long_is_a_passing_trouble(system: System) -> None:
    id = UUID(start(system)["id"])
    with closing(psycopg2.connect(system.database_url)) as other, other.cursor() as cursor:
        cursor.execute("lock table plays in access exclusive mode")
        with pytest.raises(Transient):
            system.container.export.run(id, lambda: 30.1)
    assert system.container.exports.get(EVERYONE, id)["state"] == "PENDING"
    system.pump()
    assert system.container.exports.get(EVERYONE, id)["state"] == "COMPLETED"


def test_page_of_wide_rows_holds_few_of_them(system: System) -> None:
    system.rows(
        "insert into products (name, sku, description, status)"
        " select 'n', n::text, repeat('x', 100000), 'active' from generate_series(1, 40) as n"
    )
    id = UUID(start(system, "products")["id"])
    system.container.export.run(id, hurried())
    with system.container.export_ledger.working(id) as export:
        assert export is not None
        dataset = system.container.datasets["products"]
        assert len(system.container.export_ledger.rows(export, dataset, 0, 1_000_000)) == 10
        assert len(system.container.export_ledger.rows(export, dataset, 0, 1)) == 1


def test_more_parts_than_the_api_can_show_fail_clearly(system: System) -> None:
    system.load(plays(200), key="input/plays/file.csv")
    id = UUID(start(system, max_part_bytes=1024)["id"])
    made = system.container
    Export(
        exports=made.export_ledger,
        objects=made.objects,
        queues=made.queues,
        datasets=made.datasets,
        new_parts={ExportFormat.CSV: csv_part},
        most_parts=2,
    ).run(id, lambda: 900.0)
    export = made.exports.get(EVERYONE, id)
    assert (export["state"], export["reason"]["code"], len(export["parts"])) == ("FAILED", "too-many-parts", 2)


def test_filter_that_a_new_descriptor_does_not_know_fails_the_export(system: System) -> None:
    id = UUID(start(system, filters={"date": "2026-01-01"})["id"])
    system.rows("""update dropload.export set filters = '{"day": "x"}'""")
    system.pump()
    export = system.container.exports.get(EVERYONE, id)
    assert (export["state"], export["reason"]["code"]) == ("FAILED", "bad-filter")


def test_dataset_that_is_no_more_fails_its_export(system: System) -> None:
    id = UUID(start(system)["id"])
    del system.container.datasets["plays"]
    system.pump()
    assert system.container.exports.get(EVERYONE, id)["reason"]["code"] == "unknown-dataset"
