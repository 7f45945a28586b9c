"""A plot of rows a second by workers, as SVG that is readable on light and on dark."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 110, 40, 50
_COLOURS = ("#3b82c4", "#d1742c", "#3c9a5f", "#a468c8")
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333; } .grid { stroke: #8884; }
.bound { stroke-dasharray: 5 4; opacity: .6 }
polyline { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
"""


@dataclass(frozen=True)
class Curve:
    """Points are (workers, rows a second); ``lost`` where it goes no further."""

    name: str
    simulated: Sequence[tuple[float, float]]
    bound: Sequence[tuple[float, float]]
    lost: tuple[float, float] | None


def svg(title: str, curves: Sequence[Curve], xs: Sequence[int], ys: Sequence[int]) -> str:
    """Both axes are logarithmic, from the first of ``xs`` and ``ys`` to the last; lines are named at their ends."""

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * math.log(point[0] / xs[0]) / math.log(xs[-1] / xs[0])
        y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(point[1] / ys[0]) / math.log(ys[-1] / ys[0])
        return x, y

    def line(points: Sequence[tuple[float, float]], colour: str, kind: str) -> str:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, points))
        return f'<polyline class="{kind}" stroke="{colour}" points="{path}"/>'

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    parts += [f"<title>{title}</title>", f"<style>{_STYLE}</style>", f'<text x="{LEFT}" y="22">{title}</text>']
    for x in xs:
        across = place((x, ys[0]))[0]
        parts.append(f'<line class="grid" x1="{across:.1f}" x2="{across:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:,}</text>')
    for y in ys:
        up = place((xs[0], y))[1]
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up:.1f}" y2="{up:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{up + 4:.1f}" text-anchor="end">{y:,}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">workers</text>')
    for curve, colour, at in zip(curves, _COLOURS, _label_places(curves, place), strict=False):
        parts.append(line(curve.bound, colour, "bound"))
        parts.append(line(curve.simulated, colour, "simulated"))
        if curve.lost:
            across, up = place(curve.lost)
            parts.append(f'<text x="{across:.1f}" y="{up + 5:.1f}" text-anchor="middle" style="fill:{colour}">✕</text>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{at:.1f}" style="fill:{colour}">{curve.name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _label_places(curves: Sequence[Curve], place: Callable[[tuple[float, float]], tuple[float, float]]) -> list[float]:
    """Where each name goes: beside its line's end, one above the other."""
    wanted = [(place(curve.bound[-1])[1] + 4, index) for index, curve in enumerate(curves)]
    found, lowest = [0.0] * len(curves), math.inf
    for y, index in sorted(wanted, reverse=True):
        found[index] = lowest = min(y, lowest - 16)
    return found
