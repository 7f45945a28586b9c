"""Lists of field names, as primaryKey, uniqueKeys and foreignKeys have them."""

from collections.abc import Collection

from chalicelib.core.problems import Node


def parse_key(node: Node, where: str, value: object, known: Collection[str] | None) -> tuple[str, ...]:
    """Return the fields that ``value`` (a name, or a list of names) names, none where there is no value.

    What is wrong is noted at ``where`` in ``node``; with ``known``, so is a name that is not in it.
    """
    if value is None:
        return ()
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        node.problem(where, "must be a field's name or a list of names")
        return ()
    for name in names:
        if known is not None and name not in known:
            node.problem(where, f"{name} is not a field")
    if len(set(map(str, names))) != len(names):
        node.problem(where, "names a field twice")
    return tuple(map(str, names))
