"""What a mail is made of, written out twice: as plain text, and as HTML that a phone shows well.

Both are made of the same blocks, so that they say the same. The HTML is one column, loads nothing, and names no colour
but where light and dark can bear it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

SUBJECT_CHARACTERS = 200
_NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject (one line), its plain text, and the same as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or some; the first one of a letter is its ``lead``."""

    text: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One of a list: ``count`` times this, perhaps with an address to read on."""

    text: str
    count: int | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, perhaps under a line of its own."""

    items: Sequence[Item]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers under each other, with their labels."""

    rows: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: labels and what stands there; a row without a label goes on with the one before."""

    rows: Sequence[tuple[str, str]]


Block: TypeAlias = Paragraph | Listing | Figures | Places


def one_line(text: str, limit: int = _NAME_CHARACTERS) -> str:
    """Printable, on one line, and short: object keys may hold anything, line ends and marks that turn text around."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "\u2026"


def written(subject: str, blocks: Iterable[Block]) -> Letter:
    """Return the letter of these blocks; empty ones are left out."""
    line = one_line(subject, SUBJECT_CHARACTERS)
    kept = [block for block in blocks if _says_something(block)]
    return Letter(line, "\n\n".join(map(_text, kept)) + "\n", _html(line, kept))


def _says_something(block: Block) -> bool:
    match block:
        case Paragraph():
            return bool(block.text)
        case Listing():
            return bool(block.items)
        case _:
            return bool(block.rows)


def _text(block: Block) -> str:
    match block:
        case Paragraph():
            return block.text
        case Listing():
            return "\n".join([*([block.title] if block.title else []), *map(_text_item, block.items)])
        case Figures():
            width = max(10, *(len(label) + 2 for label, _ in block.rows))
            return "\n".join(f"  {label:<{width}}{number:>14,}" for label, number in block.rows)
        case Places():
            return "\n".join(f"{label + ':' if label else '':<10} {value}" for label, value in block.rows)


def _text_item(item: Item) -> str:
    line = f"  - {item.text}" if item.count is None else f"  {item.count:>9,} x {item.text}"
    return line if item.url is None else f"{line}\n    {item.url}"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:16px">
<div style="max-width:600px;margin:0 auto;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;\
overflow-wrap:anywhere">
{body}
</div>
</body>
</html>
"""
_RULE = "border-bottom:1px solid rgba(128,128,128,.4)"


def _html(subject: str, blocks: Iterable[Block]) -> str:
    return _PAGE.format(title=escape(subject), body="\n".join(map(_html_block, blocks)))


def _html_block(block: Block) -> str:
    match block:
        case Paragraph():
            style = "margin:0 0 16px;font-size:20px;font-weight:600" if block.lead else "margin:0 0 16px"
            return f'<p style="{style}">{_shown(block.text)}</p>'
        case Listing():
            title = f'<p style="margin:0 0 4px">{_shown(block.title)}</p>\n' if block.title else ""
            items = "\n".join(f'<li style="margin:0 0 8px">{_html_item(item)}</li>' for item in block.items)
            return f'{title}<ul style="margin:0 0 16px;padding-left:20px">\n{items}\n</ul>'
        case Figures():
            rows = "\n".join(
                f'<tr><td style="padding:4px 16px 4px 0;{_RULE}">{_shown(label)}</td>'
                f'<td align="right" style="padding:4px 0;{_RULE}">{number:,}</td></tr>'
                for label, number in block.rows
            )
            return f'<table role="presentation" cellspacing="0" style="margin:0 0 16px">\n{rows}\n</table>'
        case Places():
            rows = "\n".join(
                f'<p style="margin:0 0 8px">{f"<b>{_shown(label)}</b><br>" if label else ""}{_linked(value)}</p>'
                for label, value in block.rows
            )
            return f'<div style="margin:0 0 16px">\n{rows}\n</div>'


def _html_item(item: Item) -> str:
    text = _shown(item.text) if item.url is None else f'<a href="{escape(item.url)}">{_shown(item.text)}</a>'
    return text if item.count is None else f"<b>{item.count:,} &times;</b> {text}"


def _linked(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return f'<a href="{escape(value)}">{_shown(value)}</a>'
    return _shown(value)


def _shown(text: str) -> str:
    """Text as HTML, set apart so that letters which run from the right do not take their neighbours along."""
    return f"<bdi>{escape(text)}</bdi>"
