"""Contrast by WCAG 2.2, level AA, of every pair of colours that is used, in light and in dark."""

import re

import pytest

from chalicelib.api.static import WEB

TEXT, GRAPHIC = 4.5, 3.0
GROUNDS = ("paper", "sheet", "well")
PAIRS = [
    *((colour, ground, TEXT) for colour in ("ink", "soft") for ground in GROUNDS),
    *((colour, ground, TEXT) for colour in ("accent", "good", "warn", "bad", "busy") for ground in ("paper", "sheet")),
    *(("ink", f"{wash}-wash", TEXT) for wash in ("accent", "good", "warn", "bad", "busy")),
    *((colour, f"{colour}-wash", TEXT) for colour in ("accent", "good", "warn", "bad", "busy")),
    ("bad", "well", TEXT),
    ("soft", "accent-wash", TEXT),
    ("on-accent", "accent", TEXT),
    *(("focus", ground, GRAPHIC) for ground in GROUNDS),
    *(("edge", ground, GRAPHIC) for ground in ("paper", "sheet")),
    *((f"fill-{fill}", ground, GRAPHIC) for fill in ("good", "bad", "busy", "idle") for ground in ("paper", "sheet")),
]


def colours() -> dict[str, dict[str, str]]:
    """The variables of tokens.css by scheme."""
    css = (WEB / "tokens.css").read_text()
    light, _, dark = css.partition("@media (prefers-color-scheme: dark)")
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]
    return {"light": found[0], "dark": found[0] | found[1]}


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_reckoned_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("colour", "ground", "least"), PAIRS)
def test_contrast_is_enough(scheme: str, colour: str, ground: str, least: float) -> None:
    table = colours()[scheme]
    assert contrast(table[colour], table[ground]) >= least


def test_every_colour_has_one_in_the_dark() -> None:
    found = colours()
    assert all(found["light"][name] != found["dark"][name] for name in found["light"])


def test_no_other_colour_is_used() -> None:
    for path in WEB.glob("*.css"):
        if path.name != "tokens.css":
            assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?!-)", re.sub(r"#(?:nav|who|main)\b", "", path.read_text())) == []
