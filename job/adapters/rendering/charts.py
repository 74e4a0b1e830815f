"""Draw SVG charts with the colors of the page's style sheet, without inline style or script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from job.adapters.rendering.escaping import visible
from job.contracts.reports.intervals import Interval

_LEFT, _TOP, _SIDE = 46, 12, 296  # of the square that curves are drawn in
_WIDTH: Final = 356
_LEGEND_ROW: Final = 18
_MAX_NAME_LENGTH: Final = 44
_TICKS: Final = (0, 0.25, 0.5, 0.75, 1)
N_COLOURS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve of points in the unit square; without a name it is gray and not in the legend."""

    x: Sequence[float]
    y: Sequence[float]
    name: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The range of values that all dot charts in one column of a table share."""

    low: float
    high: float

    def place(self, value: float, width: float) -> float:
        """Return the horizontal position of a value in a chart with margins of 6 pixels."""
        span = (self.high - self.low) or 1.0
        inside = min(max((value - self.low) / span, 0.0), 1.0)
        return round(6 + (width - 12) * inside, 1)


def line_chart(
    lines: Sequence[Line],
    label: str,
    *,
    x_label: str,
    y_label: str,
    reference: Line | None = None,
) -> Markup:
    """Draw curves in the unit square; named curves have a color and an entry in the legend."""
    named = [line for line in lines if line.name is not None][:N_COLOURS]
    height = _TOP + _SIDE + 44 + _LEGEND_ROW * len(named)
    parts = [_axes(x_label, y_label)]
    if reference is not None:
        parts.append(_curve(reference, "reference"))
    parts += [_curve(line, "context") for line in lines if line.name is None]
    # NOTE: the first curve is the most important one, so it is drawn last, on top
    parts += [_curve(line, f"c{n}") for n, line in reversed(list(enumerate(named)))]
    parts += [_legend(line, n) for n, line in enumerate(named)]
    return _svg(_WIDTH, height, label, parts)


def dots(
    scale: Scale,
    value: float,
    low: float | None = None,
    high: float | None = None,
    *,
    is_signed: bool = False,
) -> Markup:
    """Draw a value as a dot, with whiskers from `low` to `high` if these are known.

    The number itself is not drawn.  The chart of a signed value has a mark at zero.
    """
    width = 160
    more = Markup("")
    if is_signed:
        more = Markup('<path class="zero" d="M{} 1V15"/>').format(scale.place(0, width))
    if low is not None and high is not None:
        a, b = scale.place(low, width), scale.place(high, width)
        more += Markup('<path class="whisker" d="M{0} 4V12M{0} 8H{1}M{1} 4V12"/>').format(a, b)
    return Markup(
        '<svg class="dots" viewBox="0 0 {} 16" aria-hidden="true" focusable="false">'
        '<path class="rail" d="M6 8H{}"/>{}<circle class="dot" cx="{}" cy="8" r="4"/></svg>'
    ).format(width, width - 6, more, scale.place(value, width))


def draw_score(
    scale: Scale, value: float, interval: Interval | None, *, is_signed: bool = False
) -> Markup:
    """Draw a value as a dot, with whiskers if the value has an interval."""
    ends = (interval.lower, interval.upper) if interval else ()
    return dots(scale, value, *ends, is_signed=is_signed)


def scale_of(values: Sequence[float]) -> Scale:
    """Return a scale that starts at a multiple of 0.1, ends at 1 and contains all values."""
    low = min((int(10 * value) / 10 for value in values), default=0.0)
    return Scale(low=min(max(low, 0.0), 0.9), high=1.0)


def heat_map(names: Sequence[str], counts: Sequence[Sequence[int]], label: str) -> Markup:
    """Draw a confusion matrix; names and counts are left out if there are many classes."""
    is_small = len(names) <= 12
    side = 48 if is_small else max(4, 720 // len(names))
    left = 190 if is_small else 24
    size = side * len(names)
    parts = []
    for row, line in enumerate(counts):
        most = sum(line) or 1
        for column, n in enumerate(line):
            if n:
                x, y = left + column * side, 24 + row * side
                kind = "right" if row == column else "wrong"
                opacity = round(0.12 + 0.5 * n / most, 2)
                parts.append(
                    Markup(
                        '<rect class="{}" fill-opacity="{}" x="{}" y="{}" width="{}" height="{}"/>'
                    ).format(kind, opacity, x, y, side, side)
                )
                if is_small:
                    parts.append(_text(n, x + side / 2, y + side / 2 + 4, "middle"))
        if is_small:
            parts.append(_text(_short(names[row], 26), left - 8, 28 + row * side + side / 2, "end"))
    frame = Markup('<rect class="frame" x="{}" y="24" width="{}" height="{}"/>')
    parts.append(frame.format(left, size, size))
    parts.append(_text("predicted, in the order of the rows", left + size / 2, 14, "middle"))
    return _svg(left + size + 8, size + 34, label, parts)


def _axes(x_label: str, y_label: str) -> Markup:
    bottom, right = _TOP + _SIDE, _LEFT + _SIDE
    parts = []
    for tick in _TICKS:
        x, y = _LEFT + _SIDE * tick, bottom - _SIDE * tick
        grid = Markup('<path class="grid" d="M{} {}H{}M{} {}V{}"/>')
        parts.append(grid.format(_LEFT, y, right, x, _TOP, bottom))
        parts.append(_text(f"{tick:g}", x, bottom + 16, "middle", "tick"))
        parts.append(_text(f"{tick:g}", _LEFT - 8, y + 4, "end", "tick"))
    parts.append(_text(x_label, _LEFT + _SIDE / 2, bottom + 34, "middle"))
    turned = Markup(
        '<text class="label" text-anchor="middle" '
        'transform="translate(12 {}) rotate(-90)">{}</text>'
    )
    parts.append(turned.format(_TOP + _SIDE / 2, y_label))
    return Markup("").join(parts)


def _curve(line: Line, kind: str) -> Markup:
    points = [
        (round(_LEFT + _SIDE * x, 1), round(_TOP + _SIDE * (1 - y), 1))
        for x, y in zip(line.x, line.y, strict=True)
    ]
    # a point between two points of the same height adds nothing to the line
    kept = [
        point
        for n, point in enumerate(points)
        if not (0 < n < len(points) - 1 and points[n - 1][1] == point[1] == points[n + 1][1])
    ]
    path = "L".join(f"{x:g} {y:g}" for x, y in kept)
    return Markup('<path class="curve {}" d="M{}"/>').format(kind, path)


def _legend(line: Line, n: int) -> Markup:
    y = _TOP + _SIDE + 44 + _LEGEND_ROW * n + 6
    swatch = Markup('<path class="curve c{}" d="M{} {}H{}"/>').format(n, _LEFT, y - 4, _LEFT + 24)
    name = _short(line.name or "", _MAX_NAME_LENGTH - len(line.note))
    return swatch + _text(f"{name}  {line.note}".rstrip(), _LEFT + 32, y, "start")


def _short(name: str, longest: int) -> str:
    text = visible(name)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(text: object, x: float, y: float, anchor: str, kind: str = "label") -> Markup:
    form = Markup('<text class="{}" x="{:g}" y="{:g}" text-anchor="{}">{}</text>')
    return form.format(kind, x, y, anchor, visible(str(text)))


def _svg(width: float, height: float, label: str, parts: Sequence[Markup]) -> Markup:
    form = Markup('<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {:g} {:g}">{}</svg>')
    return form.format(escape(visible(label)), width, height, Markup("").join(parts))
