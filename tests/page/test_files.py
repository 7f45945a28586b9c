"""What the page is made of."""

import re
from pathlib import Path

import pytest

from chalicelib.api.static import TYPES, WEB

FILES = sorted(path for path in WEB.iterdir() if path.is_file())
INDEX = (WEB / "index.html").read_text()


def test_all_files_can_be_served() -> None:
    assert {path.suffix for path in FILES} <= TYPES.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_are_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 400


def test_all_modules_and_styles_are_asked_for_at_once() -> None:
    linked = re.findall(r'(?:src|href)="web/([\w.-]+)"', INDEX)
    assert sorted(linked) == sorted(path.name for path in FILES if path.name != "index.html")


def test_modules_import_only_what_is_there() -> None:
    names = {path.name for path in FILES}
    for path in FILES:
        if path.suffix == ".js":
            assert set(re.findall(r'from "\./([\w.-]+)"', path.read_text())) <= names
            assert not re.search(r'from "(?!\./)|import\(', path.read_text())


def test_nothing_comes_from_elsewhere_and_nothing_is_in_line() -> None:
    assert "http" not in INDEX
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=)|\son\w+=|javascript:", INDEX)
    assert not re.findall(r'(?:src|href)="/', INDEX)  # on AWS there is a stage before
    for path in FILES:
        if path.suffix in (".js", ".css"):
            text = path.read_text().replace("http://www.w3.org/2000/svg", "").replace("beginning with https://", "")
            assert not re.search(r"https?://|@import|url\(|innerHTML|insertAdjacent|\beval\b", text), path.name
