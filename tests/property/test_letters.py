"""Whatever files, folders and columns are called: one mail with the headers that we gave it, that says it all twice."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.ses import mime
from chalicelib.core.digest import Cause, Failure, Pace, Pile, compose_pile, due
from chalicelib.core.late import Lateness, compose_late
from chalicelib.core.letter import compose
from chalicelib.core.mailtext import SUBJECT_CHARACTERS, Letter

URL = "https://status.example.com"
ID = "0193d2a4-0000-7000-8000-000000000001"
HEADERS = [
    *("From", "To", "Subject", "Message-ID", "X-Dropload-Notice", "References", "Auto-Submitted"),
    *("MIME-Version", "Content-Type"),
]

HOSTILE = st.sampled_from(
    [
        "a\r\nBcc: everyone@example.com\r\n\r\n.csv",
        "\u202egpj.csv",
        "\u2066x\u2069\u200b\ufeff.csv",
        "=?utf-8?q?a=0D=0ABcc=3A_everyone@example.com?=",
        "==??=",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{title}%s\\1",
        "\u05e7\u05d5\u05d1\u05e5.csv",
        "x" * 1000,
        "\U0001f600" * 300,
        "\x00\x1b[31m\x7f\x85\u2028\u2029",
    ]
)
NAMES = HOSTILE | st.text(max_size=300)  # without surrogates, as the ledger has them
STORABLE = NAMES.filter(lambda name: "\0" not in name)


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    rejected = draw(st.integers(0, 10**9))
    failed = draw(st.booleans()) or not rejected
    reason = {"code": "any", "message": draw(NAMES), "class": "file"} if failed else None
    columns = draw(st.lists(st.none() | NAMES, max_size=30, unique=True))
    return {
        "id": ID,
        "dataset": draw(NAMES),
        "state": "FAILED" if failed else "COMPLETED_WITH_FAILURES",
        "reason": reason,
        "validate_only": draw(st.booleans()),
        "object": {"bucket": "b", "key": "input/" + draw(NAMES)},
        "found": {"container": None, "format": "csv", "encoding": "utf-8", "delimiter": None},
        "counts": {"read": 10**9, "inserted": 1, "updated": 0, "unchanged": 0, "ignored": 0, "rejected": rejected},
        "causes": [{"code": "type-error", "column": column, "count": 3, "example_line": 2} for column in columns],
    }


@st.composite
def piles(draw: st.DrawFn) -> Pile:
    names = draw(st.lists(NAMES, min_size=2, max_size=5))
    return Pile(
        dataset=draw(NAMES),
        files=draw(st.integers(len(names), 1000)),
        failed=1,
        read=10,
        rejected=5,
        causes=[Cause("type-error", draw(st.none() | NAMES), 5, 2, 7, draw(NAMES))],
        failures=[Failure("any", draw(NAMES), 1)],
        jobs=[
            {"id": ID, "key": name, "state": "FAILED", "code": "any", "read": 1, "rejected": 1, "validate_only": False}
            for name in names
        ],
        error_files=f"s3://b/error/{draw(NAMES)}/job=.../",
    )


LETTERS = st.one_of(
    st.builds(lambda job: compose(job, {}, URL), jobs()),
    st.builds(lambda pile: compose_pile(pile, URL), piles()),
    st.builds(
        lambda name, text: compose_late(Lateness(name, text, datetime(2026, 1, 1, tzinfo=UTC), None), "b", URL),
        NAMES,
        NAMES,
    ),
)


@given(LETTERS)
def test_mail_has_the_headers_that_it_was_given_and_no_other(letter: Letter) -> None:
    data = mime("dropload@example.com", ["a@example.com", "b@example.com"], letter.subject, *_rest(letter))
    mail = message_from_bytes(data, policy=default)
    assert isinstance(mail, EmailMessage)
    assert mail.keys() == HEADERS
    # Where long lines are folded the library is not particular about blanks.
    assert "".join(mail["Subject"].split()) == "".join(letter.subject.split())
    assert mail["To"] == "a@example.com, b@example.com"
    assert not mail.defects
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert mail.get_content_type() == "multipart/alternative"
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == letter.text
    assert html.get_content().replace("\r\n", "\n") == letter.html
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))


@given(LETTERS)
def test_subject_is_one_bounded_printable_line(letter: Letter) -> None:
    assert len(letter.subject) <= SUBJECT_CHARACTERS
    assert letter.subject.isprintable()  # so nothing in it turns text around, either
    assert all(line.isprintable() for line in letter.text.split("\n"))


@given(LETTERS)
def test_html_is_ours_alone_and_loads_nothing(letter: Letter) -> None:
    seen = Seen()
    seen.feed(letter.html)
    seen.close()
    assert seen.tags <= {
        *("html", "head", "meta", "title", "body", "div", "p", "ul", "li", "b", "br", "bdi", "a"),
        *("table", "tr", "td"),
    }
    assert all(link.startswith((URL, "s3://b/")) for link in seen.links)
    assert not seen.loaded
    assert letter.text.split("\n")[0] in seen.text  # what is said first is so in both


@given(st.text())
def test_nothing_is_lost_in_html_that_the_text_says(name: str) -> None:
    late = Lateness("members", name, datetime(2026, 1, 1, tzinfo=UTC), None)
    letter = compose_late(late, "b", URL)
    seen = Seen()
    seen.feed(letter.html)
    expected = next(line for line in letter.text.split("\n") if line.startswith("Expected is:"))
    assert expected in "".join(seen.text)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
SPANS = st.timedeltas(timedelta(0), timedelta(days=2))


@given(MOMENTS, SPANS, st.none() | SPANS, SPANS, SPANS)
def test_nothing_waits_longer_than_a_window_and_no_two_mails_are_closer(
    oldest: datetime, lasting: timedelta, before: timedelta | None, settle: timedelta, window: timedelta
) -> None:
    newest = oldest + lasting
    last = None if before is None else oldest - before
    at = due(oldest, newest, last, Pace(settle, window))
    assert at <= oldest + window
    if last is not None:
        assert at >= last + window
    assert at >= min(newest + settle, oldest + window)


class Seen(HTMLParser):
    """What a reader of HTML makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "srcset", "background") or name.startswith("on") or "url(" in (value or ""):
                self.loaded.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _rest(letter: Letter) -> tuple[str, str, str]:
    return letter.text, letter.html, "<x@dropload>"
