"""Keys of a descriptor that mean nothing here: slips of the pen, and keys at the wrong level.

The standard lets anybody add keys of their own, so that most unknown ones are let through. But one that is nearly, or
elsewhere, a key that dropload acts on would be a rule that silently is none: it is a problem. In constraints, dialects
and references every unknown key is one.
"""

from collections.abc import Collection, Mapping

from chalicelib.core.problems import Node

_CONSTRAINTS = (
    *("required", "unique", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("pattern", "enum", "jsonSchema"),
)
_FIELD = (
    *("name", "type", "format", "constraints", "missingValues", "trueValues", "falseValues", "groupChar"),
    *("decimalChar", "bareNumber", "categories", "categoriesOrdered"),
)
_SCHEMA = ("fields", "fieldsMatch", "missingValues", "primaryKey", "uniqueKeys", "foreignKeys")
_DIALECT = (
    *("delimiter", "lineTerminator", "quoteChar", "doubleQuote", "escapeChar", "nullSequence", "skipInitialSpace"),
    *("header", "headerRows", "headerJoin", "commentRows", "commentChar", "caseSensitiveHeader", "encoding"),
    *("property", "itemType", "itemKeys", "sheetNumber", "sheetName", "table"),
)
_RESOURCE = ("name", "type", "format", "encoding", "compression", "schema", "dialect", "dropload", "data", "profile")
_DESCRIPTIVE = ("$schema", "name", "type", "title", "description", "csvddfVersion")
_SLIP = 2  # letters; one where the key has four or fewer


def check_keys(root: Node, settings: Collection[str]) -> None:
    """Note the keys of a whole descriptor that are wrong; ``settings`` are those of its ``dropload`` block."""
    _let_through(root, _RESOURCE, {"schema": _SCHEMA, "dialect": _DIALECT, "dropload": settings})
    schema = _part(root, "schema")
    _let_through(schema, _SCHEMA, {"dropload": settings})
    for field in _parts(schema, "fields"):
        _let_through(field, _FIELD, {"constraints": _CONSTRAINTS, "dropload": settings})
        _refuse(_part(field, "constraints"), _CONSTRAINTS)
    for link in _parts(schema, "foreignKeys"):
        _refuse(link, ("fields", "reference"), also=("name", "title", "description"))
        _refuse(_part(link, "reference"), ("resource", "fields"))
    _refuse(_part(root, "dialect"), _DIALECT, also=_DESCRIPTIVE)


def did_you_mean(key: str, known: Collection[str]) -> str:
    """Return ``did you mean ...?`` for the nearest of the known keys, and nothing where none is near."""
    near = _nearest(key, known)
    return f"did you mean {near}?" if near else ""


def _let_through(node: Node, known: Collection[str], elsewhere: Mapping[str, Collection[str]]) -> None:
    for key in _unknown(node, (*known, *_DESCRIPTIVE)):
        home = next((part for part, keys in elsewhere.items() if key in keys), None)
        near = did_you_mean(key, known)
        if home:
            node.problem(key, f"has no meaning here; it belongs into {home}")
        elif near:
            node.problem(key, f"unknown; {near}")


def _refuse(node: Node, known: Collection[str], also: Collection[str] = ()) -> None:
    for key in _unknown(node, (*known, *also)):
        node.problem(key, f"unknown; {did_you_mean(key, known) or 'known are ' + ', '.join(known)}")


def _unknown(node: Node, known: Collection[str]) -> list[str]:
    """Return the unknown keys; those that are no text (YAML reads ``on:`` as true) are noted."""
    keys: list[object] = list(node.values)
    for key in keys:
        if not isinstance(key, str):
            node.problem(str(key), "a key must be text; put it in quotes")
    return [key for key in keys if isinstance(key, str) and key not in known]


def _nearest(key: str, known: Collection[str]) -> str | None:
    plain = _plain(key)
    allowed = 1 if len(plain) <= 4 else _SLIP
    distances = {other: _distance(plain, _plain(other), allowed) for other in known}
    nearest = min(distances, key=distances.__getitem__, default=None)
    return nearest if nearest is not None and distances[nearest] <= allowed else None


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")


def _distance(one: str, other: str, enough: int) -> int:
    """Return how many letters must be added, dropped, changed or swapped with the next; above ``enough``, roughly."""
    if abs(len(one) - len(other)) > enough:
        return enough + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        above, row, two_above = row, [i], before
        before = above
        for j, wanted in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, two_above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _part(node: Node, key: str) -> Node:
    """Return the object under ``key``, empty where there is none; its own problems are noted elsewhere."""
    value = node.values.get(key)
    return Node(value if isinstance(value, Mapping) else {}, node.at(key), node.problems)


def _parts(node: Node, key: str) -> list[Node]:
    items = node.values.get(key)
    return [
        Node(item, f"{node.at(key)}[{index}]", node.problems)
        for index, item in enumerate(items if isinstance(items, list | tuple) else ())
        if isinstance(item, Mapping)
    ]
