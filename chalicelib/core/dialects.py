"""The dialect that a descriptor declares, as far as it can be read: https://datapackage.org/standard/table-dialect/."""

from collections.abc import Mapping

from chalicelib.core.encodings import UTF8, canonical_encoding
from chalicelib.core.problems import Node
from chalicelib.core.schema import Dialect

_RETURN = "\r"
_UNSUPPORTED: Mapping[str, tuple[object, ...]] = {
    "commentRows": ([],),
    "lineTerminator": ("\n", "\r\n", _RETURN),  # LF and CR LF are read wherever they stand
    "nullSequence": (),
    "caseSensitiveHeader": (True,),
}
_ENCODINGS = "utf-8, utf-16, utf-16-le, utf-16-be, and those of one byte a character (cp1252, iso-8859-15 ...)"
_NEEDED = "must be one ASCII character: no letter, digit, NUL or line end"


def parse_dialect(root: Node) -> Dialect:
    """Return the dialect of the resource ``root``; what is wrong is noted in its problems."""
    node = root.child("dialect")
    node.refuse(_UNSUPPORTED)
    plain = Dialect()
    delimiter = _character(node, "delimiter", plain.delimiter)
    quote = _character(node, "quoteChar", plain.quote_char)
    escape = _character(node, "escapeChar", "", "\\")
    comment = _character(node, "commentChar", "")
    skips = node.flag("skipInitialSpace", False)
    if comment == "_":
        node.problem("commentChar", "must not be _, with which the error file's own columns start")
    if skips and " " in (delimiter, quote):
        node.problem("skipInitialSpace", "leaves no space to be the delimiter or the quoteChar")
    used = {"delimiter": delimiter, "quoteChar": quote, "escapeChar": escape, "commentChar": comment}
    for index, (key, character) in enumerate(used.items()):
        twin = next((other for other in list(used)[:index] if used[other] == character), None)
        if character and twin:
            node.problem(key, "must not be the delimiter" if twin == "delimiter" else f"must not be the {twin}")
    header = node.flag("header", True)
    return Dialect(
        delimiter,
        quote,
        header,
        _encoding(root, node),
        double_quote=node.flag("doubleQuote", True),
        escape=escape,
        comment=comment,
        skip_initial_space=skips,
        header_rows=_header_rows(node, header, plain.header_rows),
        header_join=node.text("headerJoin", plain.header_join),
        returns=node.values.get("lineTerminator") == _RETURN,
    )


def _encoding(root: Node, node: Node) -> str:
    """Return the encoding that the resource or its dialect declares; both must say the same."""
    declared = {}
    for where in (root, node):
        if where.values.get("encoding") is not None:
            name = where.text("encoding", UTF8)
            declared[where.at("encoding")] = canonical_encoding(name)
            if canonical_encoding(name) is None:
                where.problem("encoding", f"not supported; {_ENCODINGS} are")
    if len(set(declared.values())) > 1:
        node.problem("encoding", "is not the one that the resource declares")
    return next(iter(declared.values()), None) or UTF8


def _character(node: Node, key: str, default: str, also: str = "") -> str:
    if node.values.get(key) is None:
        return default
    value = node.text(key, default)
    if len(value) == 1 and value.isascii() and not value.isalnum() and (value in also or value not in "\r\n\0\\"):
        return value
    node.problem(key, _NEEDED if also else f"{_NEEDED}, no backslash")
    return default


def _header_rows(node: Node, header: bool, default: tuple[int, ...]) -> tuple[int, ...]:
    rows = node.values.get("headerRows")
    if rows is None:
        return default
    numbers = [row for row in rows if isinstance(row, int) and row is not True] if isinstance(rows, list) else []
    if not numbers or numbers != rows or numbers[0] < 1 or sorted(set(numbers)) != numbers:
        node.problem("headerRows", "must be a list of row numbers, from 1, in rising order")
    elif not header:
        node.problem("headerRows", "has no meaning where header is false")
    else:
        return tuple(numbers)
    return default
