"""Reads a Plotly figure dict without Plotly: series of numbers with their style, ready to be drawn."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_DTYPES = {
    "f8": "d",
    "f4": "f",
    "i1": "b",
    "u1": "B",
    "i2": "h",
    "u2": "H",
    "i4": "i",
    "u4": "I",
    "i8": "q",
    "u8": "Q",
}
Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One trace. `xs` are positions; `fill_to_previous` draws the band between this line and the one before."""

    name: str
    kind: str
    xs: tuple[float, ...]
    ys: tuple[float | None, ...]
    color: str
    dash: bool = False
    width: float = 2.5
    markers: bool = False
    line: bool = True
    fill_to_previous: bool = False
    fill_to_zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """All that is drawn, and how positions are called."""

    title: str
    series: tuple[Series, ...]
    labels: tuple[str, ...]
    dates: bool
    stacked: bool
    y_title: str = ""
    y_prefix: str = ""
    y_suffix: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not any(value is not None for one in self.series for value in one.ys)


def array(value: Any) -> list[Any]:
    """A list, a tuple, or Plotly's `{dtype, bdata}` in base64."""
    if isinstance(value, Mapping) and "bdata" in value:
        octets = base64.b64decode(value["bdata"])
        code = _DTYPES[str(value["dtype"])]
        return list(struct.unpack(f"<{len(octets) // struct.calcsize(code)}{code}", octets))
    return [] if value is None else list(value)


def color(value: Any, fallback: str) -> str:
    """Plotly's `#RRGGBB`, `#RRGGBBAA`, `rgb()` and `rgba()` as Flet's `#AARRGGBB`; other names pass."""
    if not isinstance(value, str) or not value:
        return fallback
    if value.startswith("rgb"):
        parts = [part.strip() for part in value[value.index("(") + 1 : value.rindex(")")].split(",")]
        alpha = round(float(parts[3]) * 255) if len(parts) > 3 else 255
        red, green, blue = (int(float(part)) for part in parts[:3])
        return f"#{alpha:02x}{red:02x}{green:02x}{blue:02x}"
    if value.startswith("#") and len(value) == 9:
        return f"#{value[7:9]}{value[1:7]}"
    return value


def _moment(value: Any) -> float | None:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str) and len(value) >= 7 and value[4:5] == "-":
        try:
            parsed = datetime.fromisoformat(value if len(value) > 7 else f"{value}-01")
        except ValueError:
            return None
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    return None


def _positions(all_xs: Sequence[Sequence[Any]]) -> tuple[list[tuple[float, ...]], tuple[str, ...], bool]:
    """Numbers as they are, dates as seconds, anything else as places in one common order."""
    flat = [x for xs in all_xs for x in xs]
    if flat and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in flat):
        return [tuple(float(x) for x in xs) for xs in all_xs], (), False
    moments = [_moment(x) for x in flat]
    if flat and all(moment is not None for moment in moments):
        return [tuple(_moment(x) or 0.0 for x in xs) for xs in all_xs], (), True
    names = list(dict.fromkeys(str(x) for x in flat))
    places = {name: float(i) for i, name in enumerate(names)}
    return [tuple(places[str(x)] for x in xs) for xs in all_xs], tuple(names), False


def _title(layout: Figure, *path: str) -> str:
    value: Any = layout
    for part in path:
        value = value.get(part) or {} if isinstance(value, Mapping) else {}
    if isinstance(value, Mapping):
        value = value.get("text", "")
    return str(value or "")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not math.isnan(value) else None


def _series(trace: Figure, xs: tuple[float, ...], fallback: str) -> Series:
    line, marker = trace.get("line") or {}, trace.get("marker") or {}
    mode = str(trace.get("mode") or "lines")
    fill = str(trace.get("fill") or "")
    kind = "bar" if trace.get("type") == "bar" else "line"
    chosen = trace.get("fillcolor") if fill and not line.get("color") else line.get("color")
    return Series(
        name=str(trace.get("name") or ""),
        kind=kind,
        xs=xs,
        ys=tuple(_number(y) for y in array(trace.get("y"))),
        color=color(chosen or marker.get("color"), fallback),
        dash=line.get("dash") not in (None, "solid"),
        width=float(line.get("width", 2.5)),
        markers="markers" in mode,
        line=kind == "line" and "lines" in mode and float(line.get("width", 2.5)) > 0,
        fill_to_previous=fill == "tonexty",
        fill_to_zero=fill == "tozeroy",
    )


def read(figure: Figure, palette: Sequence[str]) -> Plot:
    """The figure as a plot; kinds of traces that are not drawn are named in `unknown`."""
    layout: Figure = figure.get("layout") or {}
    traces = [trace for trace in figure.get("data") or () if trace.get("visible", True) is True]
    drawn = [trace for trace in traces if trace.get("type", "scatter") in {"scatter", "scattergl", "bar"}]
    xs = [array(trace.get("x")) or list(range(len(array(trace.get("y"))))) for trace in drawn]
    positions, labels, dates = _positions(xs)
    series = tuple(
        _series(trace, where, palette[i % len(palette)])
        for i, (trace, where) in enumerate(zip(drawn, positions, strict=True))
    )
    axis = layout.get("yaxis") or {}
    return Plot(
        title=_title(layout, "title"),
        series=series,
        labels=labels,
        dates=dates,
        stacked=layout.get("barmode") in {"stack", "relative"},
        y_title=_title(layout, "yaxis", "title"),
        y_prefix=str(axis.get("tickprefix") or ""),
        y_suffix=str(axis.get("ticksuffix") or ""),
        unknown=tuple(sorted({str(t.get("type")) for t in traces if t not in drawn})),
    )
