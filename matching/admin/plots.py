"""Plots as SVG within the page: no script draws them, and they follow its colours, light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 26, 12, 38

ONE, OTHER = "var(--color-primary-600, #9333ea)", "#f59e0b"
"""The colours of the model in question and of the one it is held against."""


class _Frame:
    """A rectangle with axes: values to places."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        self.across, self.up = across, up

    def x(self, value: float) -> float:
        low, high = self.across
        return round(LEFT + (value - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self.up
        return round(HEIGHT - BOTTOM - (value - low) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM), 1)

    def axes(self, *, label: str, ticks_up: Sequence[tuple[float, str]]) -> SafeString:
        lines = format_html_join(
            "",
            '<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="currentColor" stroke-opacity="0.15"/>'
            '<text x="{}" y="{}" text-anchor="end" dominant-baseline="middle">{}</text>',
            ((LEFT, WIDTH - RIGHT, self.y(at), self.y(at), LEFT - 6, self.y(at), told) for at, told in ticks_up),
        )
        name = format_html(
            '<text x="{}" y="{}" text-anchor="middle">{}</text>', (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, label
        )
        return format_html("{}{}", lines, name)

    def below(self, ticks: Iterable[tuple[float, str]]) -> SafeString:
        return format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="middle">{}</text>',
            ((self.x(at), HEIGHT - BOTTOM + 15, told) for at, told in ticks),
        )


def _svg(title: str, *parts: SafeString) -> SafeString:
    inner = format_html_join("", "{}", ((part,) for part in parts))
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" class="max-w-full" '
        'style="width: 26rem; font-size: 11px; fill: currentColor">{}</svg>',
        WIDTH, HEIGHT, title, inner,
    )  # fmt: skip


def _counts(most: int) -> list[tuple[float, str]]:
    return [(most * part, f"{round(most * part):,}") for part in (0, 0.5, 1)]


def histogram(title: str, edges: Sequence[float], counts: Sequence[int], *, label: str) -> SafeString:
    """Counts over a scale; where nothing would change is marked."""
    low, high, most = edges[0], edges[-1], max(counts)
    frame = _Frame((low, high), (0, most))
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}" fill-opacity="0.8"><title>{}</title></rect>',
        (
            (
                frame.x(left), frame.y(count), max(round(frame.x(right) - frame.x(left) - 1, 1), 1),
                round(frame.y(0) - frame.y(count), 1), ONE, f"{left:+.2f} to {right:+.2f}: {count:,}",
            )
            for left, right, count in zip(edges, edges[1:], counts, strict=False)
        ),
    )  # fmt: skip
    parts = [
        frame.axes(label=label, ticks_up=_counts(most)),
        bars,
        frame.below((at, f"{at:+.2f}") for at in (low, high)),
    ]
    if low < 0 < high:
        line = '<line x1="{0}" x2="{0}" y1="{1}" y2="{2}" stroke="currentColor" stroke-dasharray="3 3"/>'
        parts.append(format_html(line, frame.x(0), TOP, HEIGHT - BOTTOM))
        if min(0 - low, high - 0) > (high - low) / 8:
            parts.append(frame.below([(0, "0")]))
    return _svg(title, *parts)


def shares(title: str, found: Sequence[tuple[str, float, tuple[float, float] | None]], *, label: str) -> SafeString:
    """A share from 0 to 1 for each name, with where it may lie."""
    frame = _Frame((0, len(found)), (0, 1))
    middle = [number + 0.5 for number in range(len(found))]
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}" fill-opacity="0.8"><title>{}</title></rect>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        (
            (
                frame.x(at - 0.32), frame.y(share), round(frame.x(0.64) - frame.x(0), 1),
                round(frame.y(0) - frame.y(share), 1), ONE, f"{name}: {share:.1%}",
                frame.x(at), max(frame.y(interval[1] if interval else share) - 4, TOP), f"{share:.0%}",
            )
            for at, (name, share, interval) in zip(middle, found, strict=True)
        ),
    )  # fmt: skip
    whiskers = format_html_join(
        "",
        '<line x1="{0}" x2="{0}" y1="{1}" y2="{2}" stroke="currentColor" stroke-width="1.5"/>',
        (
            (frame.x(at), frame.y(interval[0]), frame.y(interval[1]))
            for at, (_, _, interval) in zip(middle, found, strict=True)
            if interval is not None
        ),
    )
    names = frame.below((at, name) for at, (name, _, _) in zip(middle, found, strict=True))
    return _svg(title, frame.axes(label=label, ticks_up=_PER_CENT), bars, whiskers, names)


_PER_CENT = [(0, "0 %"), (0.5, "50 %"), (1, "100 %")]


def curves(
    title: str, found: Sequence[tuple[str, str, Sequence[tuple[float, float, int]]]], *, label: str
) -> SafeString:
    """What was predicted against what was observed, by name and colour: points as large as what they stand for, and
    the line on which they would lie if all were right."""
    frame = _Frame((0, 1), (0, 1))
    right = format_html(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="currentColor" stroke-dasharray="3 3" stroke-opacity="0.6"/>',
        frame.x(0), frame.y(0), frame.x(1), frame.y(1),
    )  # fmt: skip
    most = max((count for *_, points in found for *_, count in points), default=1)
    parts = [frame.axes(label=label, ticks_up=_PER_CENT), right, frame.below(_PER_CENT)]
    for number, (name, colour, points) in enumerate(found):
        path = " ".join(f"{frame.x(predicted)},{frame.y(observed)}" for predicted, observed, _ in points)
        dots = format_html_join(
            "",
            '<circle cx="{}" cy="{}" r="{}" fill="{}"><title>{}</title></circle>',
            (
                (
                    frame.x(predicted), frame.y(observed), round(2 + 4 * (count / most) ** 0.5, 1), colour,
                    f"{name}: predicted {predicted:.1%}, observed {observed:.1%}, of {count:,}",
                )
                for predicted, observed, count in points
            ),
        )  # fmt: skip
        legend = format_html(
            '<circle cx="{0}" cy="{1}" r="4" fill="{2}"/><text x="{3}" y="{1}" dominant-baseline="middle">{4}</text>',
            LEFT + 12, TOP + 8 + 15 * number, colour, LEFT + 21, name,
        )  # fmt: skip
        line = format_html('<polyline points="{}" fill="none" stroke="{}" stroke-opacity="0.6"/>', path, colour)
        parts += [line, dots, legend]
    return _svg(title, *parts)


def frontier(title: str, found: Sequence[tuple[float, float, str, bool]], *, label: str) -> SafeString:
    """Points of a trade-off from left to right: what they bring across, the share from 0 to 1 that they bring up, what
    they are called, and whether it is the chosen one, which is larger and named."""
    across, up = [one[0] for one in found], [one[1] for one in found]
    room = max((max(across) - min(across)) / 10, 0.5), max((max(up) - min(up)) / 5, 0.01)
    frame = _Frame(
        (max(min(across) - room[0], 0), max(across) + room[0]), (max(min(up) - room[1], 0), min(max(up) + room[1], 1))
    )
    path = " ".join(f"{frame.x(at)},{frame.y(share)}" for at, share, *_ in sorted(found))
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="{}" fill="{}" stroke="currentColor" stroke-opacity="{}"><title>{}</title></circle>',
        (
            (
                frame.x(at), frame.y(share), 7 if chosen else 4, ONE if chosen else OTHER, 1 if chosen else 0,
                f"{name}: {at:,.1f} {label}, fit {share:.1%}{', chosen' if chosen else ''}",
            )
            for at, share, name, chosen in sorted(found, key=lambda one: one[3])
        ),
    )  # fmt: skip
    middle = [(low + high) / 2 for low, high in (frame.across, frame.up)]
    ticks = [(at, f"{at:.1%}") for at in (frame.up[0], middle[1], frame.up[1])]
    return _svg(
        title,
        frame.axes(label=f"{label} (across), fit (up)", ticks_up=ticks),
        frame.below((at, f"{at:,.1f}") for at in (frame.across[0], middle[0], frame.across[1])),
        format_html('<polyline points="{}" fill="none" stroke="{}" stroke-opacity="0.6"/>', path, OTHER),
        dots,
    )
