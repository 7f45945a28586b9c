"""The command line of dev.py: the arguments, and which module does the work.

``parser`` imports the standard library only, since dev.py asks it before anything is installed; what a command needs
is imported when it runs.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks import options as bench_options
from infra.local import datasets, keys
from infra.local.errors import StackError
from infra.local.paths import DEFAULT_STATE

DEFAULT_PORT = 8000
HANDED_ON = ("demo-file", "test")
"""Commands whose arguments another program reads."""
_LEFT = 141  # what shells show for a program that SIGPIPE ended


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    top = argparse.ArgumentParser(
        prog="dev.py", description="Files dropped into S3 become rows in PostgreSQL: the whole stack on one machine."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    up = commands.add_parser("up", help="start the stack and load a sample file; Ctrl-C stops it")
    _add_state(up)
    up.add_argument("--port", type=_port, default=DEFAULT_PORT, metavar="N", help="port of the API (default: 8000)")
    up.add_argument("--fresh", action="store_true", help="forget the state of earlier runs first")
    up.add_argument("--detach", action="store_true", help="return when it is ready; `dev.py down` stops it")
    up.add_argument("--no-sample", action="store_true", help="load no sample file")

    down = commands.add_parser("down", help="stop the stack")
    _add_state(down)

    load = commands.add_parser(
        "load",
        help="upload a file to the running stack and follow its job",
        description="Upload a file to the running stack and follow its job. "
        "Exit code: 0 when every record was loaded, 3 when some were rejected, 1 when the job failed.",
    )
    load.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("--dataset", required=True, metavar="NAME", help="what the file holds, for example members")
    load.add_argument("--validate-only", action="store_true", help="say what would happen, and load nothing")
    _add_state(load)

    export = commands.add_parser(
        "export",
        help="write a dataset out as files and follow that",
        description="Write a dataset out as files, follow that, and download them. "
        "Exit code: 0 when all was written, 1 when the export failed.",
    )
    export.add_argument("--dataset", required=True, metavar="NAME")
    export.add_argument("--format", choices=("csv", "jsonl", "parquet"), default="csv")
    export.add_argument(
        "--filter", action="append", default=[], type=_filter, metavar="FIELD=VALUE", help="only these rows; repeatable"
    )
    export.add_argument("--max-part-bytes", type=int, metavar="N", help="(default: 500000000)")
    export.add_argument("--with-id", action="store_true", help="with the rows' own ids")
    export.add_argument("--out", type=Path, metavar="DIR", help="download the files into this folder")
    _add_state(export)
    redrive = commands.add_parser(
        "redrive",
        help="do again what failed of a job",
        description="Do again what failed of a job, and follow the job that does it: its failed batches, or else its "
        "rejected records, by what the dataset says now. Exit codes are those of load.",
    )
    redrive.add_argument("job", metavar="JOB", help="the job's id")
    which = redrive.add_mutually_exclusive_group()
    for what, of_it in (
        ("rejected", "the records that were rejected"),
        ("failed", "the batches that failed"),
        ("all", "the whole file, of which nothing is in the table"),
    ):
        which.add_argument(f"--{what}", dest="what", action="store_const", const=what, help=of_it)
    _add_state(redrive)

    cancel = commands.add_parser(
        "cancel",
        help="call a job off",
        description="Call a job off, and follow it to its end. What is loaded stays; nothing more is. "
        "Exit code: 0 when it was cancelled, 1 when it ended otherwise.",
    )
    cancel.add_argument("job", metavar="JOB", help="the job's id")
    _add_state(cancel)

    start = commands.add_parser(
        "start",
        help="begin a job that waits for its load window",
        description="Begin a job that waits for its dataset's load window now, and follow it to its end. "
        "Exit codes are those of load.",
    )
    start.add_argument("job", metavar="JOB", help="the job's id")
    _add_state(start)

    keys.add_arguments(commands.add_parser("keys", help="make, list and revoke API keys"), _add_state)

    erase = commands.add_parser(
        "erase",
        help="erase a person's records from a dataset",
        description="Erase the rows and the rejected records that have these values, also from error files, "
        "and say what else may hold them. There is no way back.",
    )
    erase.add_argument("--dataset", required=True, metavar="NAME")
    erase.add_argument(
        "--key", action="append", required=True, type=_filter, metavar="FIELD=VALUE", help="whose; repeatable"
    )
    _add_state(erase)

    undo = commands.add_parser(
        "undo",
        help="take back what a job did to its table",
        description="Show what an undo of a job would do to which number of rows, and with --yes do it. "
        "Exit code: 0 when it was shown or done, 1 when it cannot be done.",
    )
    undo.add_argument("job", metavar="JOB", help="the job's id")
    undo.add_argument("--yes", action="store_true", help="do it")
    _add_state(undo)

    why = commands.add_parser(
        "why",
        help="why is my file not loaded?",
        description="Say what became of the file with this key, or why nothing did, and what to do. "
        "Exit code: 0 when it is loaded, 1 when it is not.",
    )
    why.add_argument("key", metavar="KEY", help="for example input/members/file.csv")
    _add_state(why)

    commands.add_parser("demo-file", help="make a realistic file, clean or dirty", add_help=False)

    datasets.add_arguments(commands.add_parser("datasets", help="check descriptors, and bring their tables up to date"))

    commands.add_parser("test", help="run the tests", description="Run the tests. Every argument is handed to pytest.")

    bench_options.add_arguments(
        commands.add_parser(
            "bench", help="measure how fast it is, beside others", description="Measure how fast it is."
        )
    )

    commands.add_parser("lint", help="check format, rules, types and import contracts")

    package = commands.add_parser("package", help="make the AWS package")
    package.add_argument(
        "--out", type=Path, default=Path("build/package"), metavar="DIR", help="(default: %(default)s)"
    )
    return top


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments of one command; ``rest`` has what ``test`` and ``demo-file`` hand on as it is.

    Exits as argparse does when they are wrong or ask for help.
    """
    top = parser()
    arguments, rest = top.parse_known_args(argv)
    if rest and arguments.command not in HANDED_ON:
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    return arguments


def main(argv: list[str]) -> int:
    """Run one command. Returns its exit code."""
    arguments = parse(argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at exit
        return _LEFT
    except StackError as problem:
        print(f"dev.py {arguments.command}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "up":
            from infra.local import up

            return up.run(
                up.Options(
                    state=arguments.state.resolve(),
                    port=arguments.port,
                    fresh=arguments.fresh,
                    detach=arguments.detach,
                    sample=not arguments.no_sample,
                )
            )
        case "down":
            from infra.local import supervisor

            return supervisor.down(arguments.state.resolve())
        case "load":
            from infra.local import load

            return load.run(
                arguments.file, arguments.dataset, arguments.state.resolve(), validate_only=arguments.validate_only
            )
        case "export":
            from infra.local import export

            return export.run(
                arguments.dataset,
                export.Wanted(
                    format=arguments.format,
                    filters=dict(arguments.filter),
                    max_part_bytes=arguments.max_part_bytes,
                    with_id=arguments.with_id,
                ),
                arguments.out,
                arguments.state.resolve(),
            )
        case "redrive":
            from infra.local import redrive

            return redrive.run(arguments.job, arguments.what, arguments.state.resolve())
        case "cancel":
            from infra.local import levers

            return levers.cancel(arguments.job, arguments.state.resolve())
        case "start":
            from infra.local import levers

            return levers.start(arguments.job, arguments.state.resolve())
        case "erase":
            from infra.local import erase

            return erase.run(arguments.dataset, dict(arguments.key), arguments.state.resolve())
        case "undo":
            from infra.local import levers

            return levers.undo(arguments.job, arguments.state.resolve(), yes=arguments.yes)
        case "why":
            from infra.local import why

            return why.run(arguments.key, arguments.state.resolve())
        case "demo-file":
            from infra.local import demo

            return demo.main(arguments.rest)
        case "datasets":
            return datasets.run(arguments)
        case "keys":
            return keys.run(arguments)
        case "test":
            from infra.local import checks

            return checks.test(arguments.rest)
        case "bench":
            from benchmarks import cli

            return cli.run(arguments)
        case "lint":
            from infra.local import checks

            return checks.lint()
        case _:
            from infra.local import package

            return package.run(arguments.out.resolve())


def _add_state(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="where its state lies (default: .dropload)"
    )


def _filter(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("a filter is FIELD=VALUE")
    return field, value


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 1 << 16:
        raise argparse.ArgumentTypeError(f"not a port: {text}")
    return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
