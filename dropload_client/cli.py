"""The command line of ``dropload``."""

import argparse
import os
import sys
from pathlib import Path

from dropload_client import commands
from dropload_client.api import ApiError
from dropload_client.report import ENDED
from dropload_client.settings import NotSet

_LEFT = 141  # what shells show for a program that SIGPIPE ended
_CODES = "Exit code: 0 when every record was loaded, 3 when some were rejected, 1 when a job or the command failed."


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", metavar="URL", help="where the API is (or DROPLOAD_URL, or what login keeps)")
    common.add_argument("--key", metavar="KEY", help="an API key (or DROPLOAD_API_KEY, which other users do not see)")
    common.add_argument("--json", action="store_true", help="print JSON, and nothing else")

    top = argparse.ArgumentParser(prog="dropload", description="Load files into datasets, and see what became of them.")
    known = top.add_subparsers(dest="command", required=True, metavar="command")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        made = known.add_parser(name, help=help, parents=[common], description=f"{help[0].upper()}{help[1:]}. {_CODES}")
        made.set_defaults(run=getattr(commands, name))
        return made

    command("login", "try a URL and a key, and keep them")

    upload = command("upload", "upload files")
    upload.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _add_loading(upload)
    upload.add_argument(
        "--max-attempts", type=int, choices=range(1, 21), metavar="N", help="how often it is tried, 1 to 20 times"
    )

    fetch = command("fetch", "load a file that lies somewhere else")
    fetch.add_argument("target", metavar="TARGET", help="https://... or s3://bucket/key")
    _add_loading(fetch)

    jobs = command("jobs", "list the newest jobs")
    jobs.add_argument("--dataset", metavar="NAME")
    jobs.add_argument("--state", choices=["PENDING", "RUNNING", "CANCELLING", *ENDED])
    jobs.add_argument("--of", dest="of", metavar="KEY", help="of this object, for example input/members/may.csv")
    jobs.add_argument("--limit", type=int, default=20, metavar="N", help="(default: %(default)s)")

    job = command("job", "show a job")
    _add_id(job)
    job.add_argument("--watch", action="store_true", help="until it ends")

    rejected = command("rejected", "get the file of a job's rejected records")
    _add_id(rejected)
    rejected.add_argument("-o", dest="output", type=Path, metavar="FILE", help="(default: standard output)")

    redrive = command("redrive", "do again what failed of a job")
    _add_id(redrive)
    which = redrive.add_mutually_exclusive_group()
    for what, of_it in (
        ("rejected", "the records that were rejected"),
        ("failed", "the batches that failed"),
        ("all", "the whole file"),
    ):
        which.add_argument(f"--{what}", dest="what", action="store_const", const=what, help=of_it)
    _add_wait(redrive)

    cancel = command("cancel", "call a job off")
    _add_id(cancel)
    _add_wait(cancel)

    export = command("export", "write a dataset out as files")
    export.add_argument("--dataset", required=True, metavar="NAME")
    export.add_argument("--format", choices=("csv", "jsonl", "parquet"), default="csv")
    export.add_argument("--filter", action="append", default=[], type=_filter, metavar="FIELD=VALUE")
    export.add_argument("--max-part-bytes", type=int, metavar="N")
    export.add_argument("--with-id", action="store_true", help="with the rows' own ids")
    export.add_argument("--out", type=Path, metavar="DIR", help="download the files into this folder")

    why = command("why", "say what became of an object, or why nothing did")
    why.add_argument("key_of", metavar="OBJECT", help="its key, for example input/members/may.csv")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns its exit code."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at exit
        return _LEFT
    except (ApiError, NotSet, OSError) as problem:
        print(f"dropload: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _add_loading(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dataset", required=True, metavar="NAME", help="what the file holds, for example members")
    command.add_argument("--validate-only", action="store_true", help="say what would happen, and load nothing")
    command.add_argument("--again", action="store_true", help="load it even if it was loaded before")
    _add_wait(command)


def _add_wait(command: argparse.ArgumentParser) -> None:
    command.add_argument("--wait", action="store_true", help="follow the job to its end")


def _add_id(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", metavar="ID", help="the job's id")


def _filter(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("a filter is FIELD=VALUE")
    return field, value


if __name__ == "__main__":
    sys.exit(main())
