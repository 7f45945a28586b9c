"""Rows are placed as if each were inserted alone, in file order: held against an oracle that does just that."""

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system import MEMBERS, System, member

REFUSED_ACCOUNT = "13"  # by a CHECK that the descriptor does not know

Row = tuple[int, int, str]  # phone, client_member_id, account: few values, so that keys meet
rows = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from(["7", "7", "7", REFUSED_ACCOUNT])), max_size=12
)
numbers = itertools.count()


def insert_one_by_one(table: list[Row], file: list[Row]) -> list[int]:
    """Add to ``table`` the rows of ``file`` that it takes; the lines of the others."""
    lines = []
    for line, row in enumerate(file, 2):
        if row[2] == REFUSED_ACCOUNT or any(row[0] == phone or row[1] == id for phone, id, _ in table):
            lines.append(line)
        else:
            table.append(row)
    return lines


def as_file(rows: list[Row]) -> bytes:
    # Quotes around every other name lead some rows down the exact path, which numbers rows differently.
    lines = [
        member(id, first_name='"A ""x"""' if at % 2 else "Ana", phone_number=f"{phone:010d}", account_id=account)
        for at, (phone, id, account) in enumerate(rows)
    ]
    return (MEMBERS + "".join(lines)).encode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=rows, second=rows)
def test_rows_are_placed_as_if_one_by_one(system: System, first: list[Row], second: list[Row]) -> None:
    system.rows("truncate members")
    system.rows("alter table members drop constraint if exists no_thirteen")
    system.rows("alter table members add constraint no_thirteen check (account_id <> 13)")
    table: list[Row] = []
    for file in (first, second):
        lines = insert_one_by_one(table, file)
        key = f"input/members/{next(numbers)}.csv"
        job = system.load(as_file(file), key=key)
        assert [rejection["line"] for rejection in system.rejections(job)] == lines
        assert job["balanced"] is True
    found = system.rows("select phone_number::bigint, client_member_id, account_id::text from members order by 1")
    assert found == sorted(table)
