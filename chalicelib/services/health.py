"""Health: does everything answer that we depend on?"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.errors import DroploadError


class Health:
    """Each check returns in silence or raises."""

    def __init__(self, checks: Mapping[str, Callable[[], None]]) -> None:
        self._checks = checks

    def check(self) -> tuple[bool, dict[str, Any]]:
        """(all well, the answer to show): every dependency is looked at, also after one has failed."""
        answers: dict[str, dict[str, str | None]] = {}
        for name, check in self._checks.items():
            try:
                check()
            except DroploadError as error:
                answers[name] = {"status": "fail", "detail": error.message}
            else:
                answers[name] = {"status": "pass", "detail": None}
        well = all(answer["status"] == "pass" for answer in answers.values())
        return well, {"status": "pass" if well else "fail", "checks": answers}
