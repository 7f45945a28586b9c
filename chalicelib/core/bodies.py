"""Records in the body of a request: each is read as a line of a JSON Lines file, by the same rules.

A body that is no JSON at all is refused as a whole. What is wrong with a record in it (no object, a member that stands
twice, nested too deeply ...) is found by the reader. Numbers keep their spelling, for nothing is decoded on the way.
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache

from chalicelib.core.jsonlines import JsonLinesReader, read_as_json
from chalicelib.core.jsontext import members_of, texts_of
from chalicelib.core.labels import resolve
from chalicelib.core.lines import ROW_ID
from chalicelib.core.repeat import any_number
from chalicelib.core.schema import Dataset

_SPACE = " \t\r\n"
_STRING = '"' + any_number(r'[^"\\]++|\\[\s\S]') + '"'
_BRACKETS = re.compile(_STRING + r"|[\[{]|[\]}]")
_TOKENS = re.compile(_STRING + r"|[\[{]|[\]}]|,")
_DEEPEST = 200  # levels that are looked into; the reader takes 64
_LINE_ENDS = str.maketrans("\r\n", "  ")


def one_line(body: bytes) -> bytes:
    """Return the JSON value that a body is, as a line.

    Raises:
        ValueError: it is no JSON in UTF-8; the message says where, and never what.
    """
    return _line(_checked(body))


def several_lines(body: bytes, most: int) -> list[bytes]:
    """Return the elements of the JSON array that a body is, a line each; one more than ``most`` where there are more.

    Raises:
        ValueError: it is no JSON in UTF-8, or no array; the message says where, and never what.
    """
    text = _checked(body)
    if text[0] != "[":
        raise ValueError("valid JSON, but no array of records")
    lines: list[bytes] = []
    start, depth = 1, 0
    for token in _TOKENS.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif token[0] == "," and depth == 1:
            lines.append(_line(text[start : token.start()]))
            start = token.end()
            if len(lines) > most:
                return lines
    last = text[start:-1]
    return [*lines, _line(last)] if last.strip(_SPACE) else lines


@lru_cache(maxsize=256)
def compile_body_reader(dataset: Dataset, columns: tuple[str, ...], max_record_bytes: int) -> JsonLinesReader:
    """Return the reader of such lines; row ``n`` of what it reads is the ``n``-th record that it accepts."""
    return JsonLinesReader(read_as_json(dataset), columns, max_record_bytes, fast_path=False)


def named_fields(line: bytes, dataset: Dataset) -> tuple[str, ...]:
    """Return the fields that the members of a record stand for, in the order of the dataset; none where it is none."""
    try:
        names = set(resolve([label for label, _ in members_of(line.decode())], dataset))
    except ValueError:
        return ()
    return tuple(field.name for field in dataset.fields if field.name in names)


def take_id(line: bytes, dataset: Dataset) -> tuple[bytes, str | None]:
    """Return a record without the member that is the row's own id, and that one's text; None where there is none.

    Answers have it, and what was answered may be sent again.
    """
    try:
        text = line.decode()
        members_of(text)
    except ValueError:
        return line, None
    texts = texts_of(text)
    ids = [value for label, value in texts if label == ROW_ID]
    if len(ids) != 1 or resolve([ROW_ID], dataset) != (ROW_ID,):
        return line, None
    others = (f"{json.dumps(label)}: {value}" for label, value in texts if label != ROW_ID)
    return ("{" + ", ".join(others) + "}").encode(), ids[0]


def _checked(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as problem:
        raise ValueError(f"not valid UTF-8, at byte {problem.start + 1} of it") from None
    text = text.strip(_SPACE)
    if not text:
        raise ValueError("empty")
    _check_depth(text)
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_number)
    except json.JSONDecodeError as problem:
        raise ValueError(f"not valid JSON, at character {problem.pos + 1} of it") from None
    except ValueError:
        raise ValueError("not valid JSON: NaN and Infinity are no numbers in it") from None
    return text


def _check_depth(text: str) -> None:
    depth = 0
    for token in _BRACKETS.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth > _DEEPEST:
                raise ValueError(f"nested more than {_DEEPEST} levels deep")
        elif token[0] in ("]", "}"):
            depth -= 1


def _no_number(text: str) -> str:
    raise ValueError


def _line(text: str) -> bytes:
    return text.strip(_SPACE).translate(_LINE_ENDS).encode()


def lines_together(lines: Sequence[bytes]) -> bytes:
    """Return lines as the reader takes them."""
    return b"".join(line + b"\n" for line in lines)
