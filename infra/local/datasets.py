"""The ``datasets`` command: are descriptors right, what would they change in the database, and do it."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from infra.local.errors import StackError
from infra.local.paths import DEFAULT_STATE, ROOT

if TYPE_CHECKING:
    from chalicelib.bootstrap import Schema

T = TypeVar("T")
SHIPPED = ROOT / "chalicelib" / "datasets"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What may follow ``dev.py datasets``. Standard library only, as all of the command line."""
    actions = command.add_subparsers(dest="action", required=True, metavar="action")
    check = actions.add_parser(
        "check",
        help="say everything that is wrong with descriptors",
        description="Say everything that is wrong with descriptors, each with the path to it, and with what they refer "
        "to among each other. Needs no running stack. Exit code: 0 when nothing is wrong, 1 otherwise.",
    )
    check.add_argument(
        "paths", nargs="*", type=Path, default=[SHIPPED], metavar="PATH", help=f"files or folders (default: {_short()})"
    )
    plan = actions.add_parser(
        "plan",
        help="show the SQL that would make the tables what the descriptors say",
        description="Show the SQL that would make the tables of a database what the descriptors say, and all that "
        "stands in the way. Changes nothing. Exit code: 0 when `apply` would do it, 1 when something is in the way.",
    )
    apply = actions.add_parser(
        "apply",
        help="run that SQL",
        description="Make the tables of a database what the descriptors say, all or nothing. What would lose data is "
        "refused, with what to do instead. Doing it again changes nothing. Exit code: 0 when done, 1 when refused.",
    )
    for action in (plan, apply):
        action.add_argument(
            "folder", nargs="?", type=Path, default=SHIPPED, metavar="DIR", help=f"of descriptors (default: {_short()})"
        )
        action.add_argument(
            "--database-url",
            metavar="URL",
            help="the database (default: that of the stack running on --state, else DATABASE_URL)",
        )
        action.add_argument("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="(default: .dropload)")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions. Returns its exit code."""
    if arguments.action == "check":
        return _check([path.absolute() for path in arguments.paths])
    schema = _schema(arguments.folder.absolute(), arguments.database_url, arguments.state.resolve())
    if arguments.action == "plan":
        return _plan(schema)
    code = _apply(schema)
    if code == 0 and not arguments.database_url and _running(arguments.state.resolve()):
        print("\nthe running stack keeps the descriptors that it started with; to give it these: dev.py down, then up")
    return code


def _check(paths: list[Path]) -> int:
    from chalicelib.bootstrap import read_descriptors

    for path in paths:
        if not path.exists():
            raise StackError(f"there is no {path}")
    descriptors = read_descriptors(paths)
    if not descriptors:
        raise StackError(f"no descriptor (*.yaml, *.yml, *.json) in {', '.join(map(str, paths))}")
    for read in descriptors:
        print(f"{_shown(read.path)}: {_counted(len(read.problems), 'problem') if read.problems else 'ok'}")
        for problem in read.problems:
            print(f"  {problem}")
    wrong = sum(bool(read.problems) for read in descriptors)
    if wrong:
        print(f"\n{wrong} of {_counted(len(descriptors), 'descriptor')} must be mended", file=sys.stderr)
    return 1 if wrong else 0


def _plan(schema: "Schema") -> int:
    plan = _answered(schema.plan)
    for step in plan.steps:
        print(_statement(step))
    if plan.problems:
        _say_problems(plan.problems)
        return 1
    print(f"\n{_counted(len(plan.steps), 'step')}; to run: dev.py datasets apply" if plan.steps else "nothing to do")
    return 0


def _apply(schema: "Schema") -> int:
    from chalicelib.errors import TableDiffers

    try:
        steps = _answered(schema.apply)
    except TableDiffers as refused:
        _say_problems(refused.problems)
        return 1
    for step in steps:
        print(_statement(step))
    print(f"\n{_counted(len(steps), 'step')} done" if steps else "nothing to do")
    return 0


def _say_problems(problems: tuple[str, ...]) -> None:
    print("Nothing can be applied before this is settled:", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)


def _schema(folder: Path, database_url: str | None, state: Path) -> "Schema":
    from chalicelib.bootstrap import schema_of
    from chalicelib.errors import DescriptorError

    if not folder.is_dir():
        raise StackError(f"there is no folder {folder}")
    url = database_url or _running(state) or os.environ.get("DATABASE_URL")
    if not url:
        raise StackError("no stack is running here: start one with `python3 dev.py up`, or give a --database-url")
    try:
        return schema_of(url, folder)
    except DescriptorError as wrong:
        problems = "\n  ".join(wrong.problems)
        raise StackError(f"these descriptors are wrong (see `dev.py datasets check`):\n  {problems}") from None


def _running(state: Path) -> str | None:
    from infra.local.state import Local, is_held

    return Local.read(state).database_url if is_held(state) else None


def _answered(ask: Callable[[], T]) -> T:
    """What the database says. Raises StackError when it does not."""
    from chalicelib.errors import DroploadError, TableDiffers

    try:
        return ask()
    except TableDiffers:
        raise
    except DroploadError as trouble:
        raise StackError(trouble.message) from None


def _statement(step: str) -> str:
    return step if step.startswith("ledger: ") else f"{step};"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _short() -> str:
    return str(SHIPPED.relative_to(ROOT))
