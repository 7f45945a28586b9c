"""The regular expressions of a dialect's records and fields: the rule in ``records``, spelled out."""

import re
from collections.abc import Callable

from chalicelib.core.repeat import any_number
from chalicelib.core.schema import Dialect


def record_expression(dialect: Dialect) -> str:
    """Return an expression for a record, or a comment, without its newline; for bytes, too."""
    d, q = re.escape(dialect.delimiter), re.escape(dialect.quote_char)
    if dialect.escape or dialect.skip_initial_space:
        one = _by_fields(dialect)
    else:
        # What opens a field can be told by the one character before it, so that all without quotes goes by at once.
        opened = rf"(?<![^{d}\n]){q}{_inner(dialect)}{q}[^{q}\n]*+"
        stray = rf"(?<=[^{d}\n]){q}[^{q}\n]*+"
        one = rf"[^{q}\n]*+{any_number(f'{opened}|{stray}')}"
    if not dialect.comment:
        return one
    c = re.escape(dialect.comment)
    return rf"{c}[^\n]*+|(?!{c}){one}"


def field_expression(dialect: Dialect) -> str:
    """Return an expression for a field and what ends it: groups of what is in quotes, of what is not, of the end."""
    d, q, e = (re.escape(text) for text in (dialect.delimiter, dialect.quote_char, dialect.escape))
    plain = any_number(rf"[^{d}{e}\r\n]++|{e}[^\r\n]") if e else rf"[^{d}\r\n]*+"
    return rf"{_spaces(dialect)}(?:{q}({_inner(dialect)}){q}|((?!{q}){plain}))({d}|\Z)"


def unescaper(dialect: Dialect) -> Callable[[str, bool], str]:
    """Return the function from what stands in a field, and whether it is in quotes, to the value."""
    quote, q, e = dialect.quote_char, re.escape(dialect.quote_char), re.escape(dialect.escape)
    if not e:
        return lambda text, quoted: text.replace(quote * 2, quote) if quoted and dialect.double_quote else text
    escaped = re.compile(rf"{e}([\s\S])")
    in_quotes = re.compile(rf"{e}([\s\S])|({q}){q}") if dialect.double_quote else escaped
    return lambda text, quoted: (in_quotes if quoted else escaped).sub(lambda match: match[match.lastindex or 1], text)


def _by_fields(dialect: Dialect) -> str:
    """Return an expression for a record, field by field."""
    d, q, e = (re.escape(text) for text in (dialect.delimiter, dialect.quote_char, dialect.escape))
    rest = any_number(rf"[^{d}{e}\n]++|{e}[^\n]?+") if e else rf"[^{d}\n]*+"
    field = rf"{_spaces(dialect)}(?:{q}{_inner(dialect)}{q}{rest}|(?!{q}){rest})"
    return field + any_number(d + field)


def _inner(dialect: Dialect) -> str:
    """Return an expression for what a quoted field holds."""
    q, e = re.escape(dialect.quote_char), re.escape(dialect.escape)
    if e:
        return any_number(rf"[^{q}{e}]++|{e}[\s\S]" + (rf"|{q}{q}" if dialect.double_quote else ""))
    return rf"[^{q}]*+" + (any_number(f"{q}{q}[^{q}]*+") if dialect.double_quote else "")


def _spaces(dialect: Dialect) -> str:
    return " *+" if dialect.skip_initial_space else ""
