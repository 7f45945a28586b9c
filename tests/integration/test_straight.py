"""Rows go straight into the table where nothing stands against them; whatever does is found, for keys of every type."""

from typing import Any

import pytest

from tests.policies import with_policies
from tests.system import System

ODD_TEXTS = ["plain", 'a "quoted" one', "back\\slash", "{brace", "NULL", "comma, inside", "tab\there", "Zoë 明", "\\."]
KEYS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "text": ({"type": "string"}, ODD_TEXTS),
    "integer": (
        {"type": "integer"},
        ["1", "-2", "0", "+3", "0004", f"{2**63 - 1}", f"{-(2**63)}", "7"],
    ),
    "number": (
        {"type": "number"},
        ["1", "-2.50", "0.0", "+3", "0004.5", "NaN", "INF", "1e3", f"{2**80}.1"],
    ),
    "date": ({"type": "date"}, ["2026-01-31", "1999-12-31", "0001-01-01", "9999-12-31"]),
    "datetime": (
        {"type": "datetime"},
        ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456Z", "1999-12-31T23:59:59+02:00", "2026-03-01T00:00:00"],
    ),
    "uuid": (
        {"type": "string", "format": "uuid"},
        ["0b9b0c52-6a0e-4c2f-9d3a-0f4f8f0e9d11", "0B9B0C52-6A0E-4C2F-9D3A-0F4F8F0E9D12"],
    ),
    "boolean": ({"type": "boolean"}, ["true", "false"]),
    "time": ({"type": "time"}, ["12:00:00", "00:00:01"]),
    "duration": ({"type": "duration"}, ["P1D", "PT24H30M"]),
    "geopoint": ({"type": "geopoint"}, ["1.5, 2", "3, 4"]),
    "array": ({"type": "array"}, ["[1, 2]", '["a"]']),
}


def keyed(type: str, policy: str, *, with_number: bool = False) -> dict[str, Any]:
    key = ["code", "number"] if with_number else ["code"]
    fields = [{"name": "code", **KEYS[type][0]}, {"name": "number", "type": "integer"}]
    return {
        "name": f"keyed_{type}_{policy}{len(key)}",
        "schema": {"fields": [*fields, {"name": "note", "type": "string"}], "uniqueKeys": [key]},
        "dropload": {"on_conflict": policy},
    }


def file_of(values: list[str], *, start: int = 0) -> bytes:
    quoted = ('"' + value.replace('"', '""') + '"' for value in values)
    return ("code,number,note\n" + "".join(f"{v},{n},x\n" for n, v in enumerate(quoted, start))).encode()


@pytest.mark.parametrize("type", KEYS)
@pytest.mark.parametrize("with_number", [False, True])
def test_values_that_the_table_has_are_found_for_keys_of_every_type(
    system: System, type: str, with_number: bool
) -> None:
    dataset = keyed(type, "reject", with_number=with_number)
    name, values = dataset["name"], KEYS[type][1]
    there, new = values[: len(values) // 2], values[len(values) // 2 :]
    loaded = with_policies(system, [dataset])
    first = loaded.load(file_of(there), key=f"input/{name}/1.csv")
    assert first["counts"]["inserted"] == len(there)
    second = loaded.load(file_of(there + new), key=f"input/{name}/2.csv")
    assert [rejection["line"] for rejection in loaded.rejections(second)] == [*range(2, 2 + len(there))]
    assert (second["counts"]["inserted"], second["balanced"]) == (len(new), True)
    assert loaded.rows(f"select count(*) from {name}") == [(len(values),)]


@pytest.mark.parametrize("policy", ["reject", "ignore", "append"])
def test_most_rows_are_free_and_the_others_have_their_outcome(system: System, policy: str) -> None:
    dataset = keyed("integer", policy)
    if policy == "append":
        del dataset["schema"]["uniqueKeys"]
    loaded = with_policies(system, [dataset])
    name = dataset["name"]
    loaded.load(file_of([str(n) for n in range(0, 100, 10)]), key=f"input/{name}/1.csv")
    numbers = [*range(100), 5, 7, *range(100, 200), 5]
    job = loaded.load(file_of([str(n) for n in numbers]), key=f"input/{name}/2.csv")
    refused = 0 if policy == "append" else 10 + 3
    assert job["counts"]["read"] == len(numbers)
    assert job["counts"]["rejected"] == (refused if policy == "reject" else 0)
    assert job["counts"]["ignored"] == (refused if policy == "ignore" else 0)
    assert loaded.rows(f"select count(*) from {name}") == [(len(numbers) + 10 - refused,)]
    origins = loaded.rows(f"select count(distinct _origin) from {name} where _origin > 0")
    assert origins == [(2,)]


def test_update_meets_few_rows_and_changes_only_those(system: System) -> None:
    dataset = keyed("integer", "update")
    dataset["schema"]["fields"][0]["constraints"] = {"required": True}
    loaded = with_policies(system, [dataset])
    name = dataset["name"]
    loaded.load(file_of([str(n) for n in range(0, 100, 10)]), key=f"input/{name}/1.csv")
    # 20 and 30 are there, 20 with the same values but for its number; 41 comes twice.
    job = loaded.load(file_of([*map(str, range(200, 300)), "20", "41", "41", "30"]), key=f"input/{name}/2.csv")
    counts = {key: value for key, value in job["counts"].items() if value}
    assert counts == {"read": 104, "inserted": 101, "updated": 3}
    assert loaded.rows(f"select code, number from {name} where code in (20, 30, 41) order by 1") == [
        (20, 100),
        (30, 103),
        (41, 102),
    ]


def test_empty_keys_meet_nothing(system: System) -> None:
    dataset = keyed("integer", "reject")
    loaded = with_policies(system, [dataset])
    name = dataset["name"]
    data = b"code,number,note\n" + b"".join(b"%b,1,x\n" % (b"" if n % 3 else b"%d" % n) for n in range(30))
    assert loaded.load(data, key=f"input/{name}/1.csv")["counts"]["inserted"] == 30
    job = loaded.load(data.replace(b"x", b"y"), key=f"input/{name}/2.csv")
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (20, 10)


@pytest.mark.parametrize(
    "rule",
    [
        "create function {name}_keep() returns trigger language plpgsql as "
        "$$ begin return case when new.number = 7 then null else new end; end $$; "
        "create trigger keep before insert on {name} for each row execute function {name}_keep()",
        "alter table {name} add constraint no_seven check (number <> 7)",
        "create unique index on {name} (nullif(number, 3)) where number in (7, 107)",
    ],
    ids=["trigger", "check", "index"],
)
def test_what_only_the_table_knows_keeps_out_single_rows(system: System, rule: str) -> None:
    dataset = keyed("integer", "reject")
    loaded = with_policies(system, [dataset])
    name = dataset["name"]
    loaded.load(file_of(["900007"], start=7), key=f"input/{name}/1.csv")
    loaded.rows(rule.format(name=name)) if "check" not in rule else loaded.rows(
        f"delete from {name}; " + rule.format(name=name)
    )
    job = loaded.load(file_of([str(n) for n in range(50)]), key=f"input/{name}/2.csv")
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (49, 1)
    assert [rejection["line"] for rejection in loaded.rejections(job)] == [9]


def test_a_lost_index_costs_time_and_no_record(system: System) -> None:
    dataset = keyed("integer", "append")
    del dataset["schema"]["uniqueKeys"]
    with_key = {**keyed("integer", "reject"), "name": dataset["name"]}
    loaded = with_policies(system, [with_key])
    name = dataset["name"]
    [(index,)] = loaded.rows(f"select indexname from pg_indexes where tablename = '{name}' and indexdef like '%(code)'")
    loaded.rows(f'drop index "{index}"; create unique index on {name} (code desc) where number >= 0')
    loaded.load(file_of(["1", "2"]), key=f"input/{name}/1.csv")
    job = loaded.load(file_of(["2", "3", "4", "5"]), key=f"input/{name}/2.csv")
    assert (job["counts"]["inserted"], job["counts"]["rejected"]) == (3, 1)
