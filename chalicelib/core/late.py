"""The mail about a file that did not come."""

from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.core.mailtext import Letter, Paragraph, Places, one_line, written


@dataclass(frozen=True, slots=True)
class Lateness:
    """No file of the dataset had come by the ``deadline``; the last one before came at ``last``, if any ever did.

    ``expected`` is what the descriptor says.
    """

    dataset: str
    expected: str
    deadline: datetime
    last: datetime | None


def compose_late(late: Lateness, bucket: str, public_url: str) -> Letter:
    """The letter about it."""
    dataset = one_line(late.dataset)
    last = f"The last one came on {_moment(late.last)}." if late.last else "None has ever come."
    return written(
        f"[dropload] {dataset}: no file by {_moment(late.deadline)}",
        [
            Paragraph(f"No file of {dataset} came by {_moment(late.deadline)}.", lead=True),
            Paragraph(f"Expected is: {one_line(late.expected)}. {last}"),
            Paragraph("This is said once. Whenever the file comes, it is loaded as always."),
            Places(
                [
                    ("Folder", f"s3://{bucket}/input/{dataset}/"),
                    ("Page", f"{public_url}/#/jobs"),
                ]
            ),
        ],
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
