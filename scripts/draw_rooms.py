#!/usr/bin/env python3
"""Draws the rooms of the house, and which room imports which, from the imports of the code.

    scripts/draw_rooms.py          writes docs/rooms.svg

A room is a folder of a package, or a module that stands directly in it. Each room stands one floor
above the highest room of its package that it imports. An arrow that follows from two others is left
out. The text in a room is the first sentence of its own docstring.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "rooms.svg"
PACKAGES = ("api", "projections", "domain")  # imports run this way, and nothing else between them
WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP, FLOOR, BAND = 1180, 368, 46, 16, 74, 40
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1d2733 }
.package { font-size: 17px; font-weight: 600 }
.room { font-weight: 600 }
.what { font-size: 10.5px; fill: #52606d }
rect.band { fill: #f4f6f8 }
rect.box { fill: #fff; stroke: #7b8794 }
path { fill: none; stroke: #9aa5b1 }
"""


@dataclass(frozen=True)
class Room:
    """A folder of a package, or a module of its own."""

    name: str  # as it is imported: projections.month
    what: str  # its docstring's first sentence
    files: int


def modules() -> dict[str, Path]:
    """Every module of the three packages, by the name under which it is imported."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {_module_name(path): path for path in paths}


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the house that one imports: at the top, for types alone, or in a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found |= {whole} if whole in known else {node.module} & known.keys()
    return found - {_module_name(path)}


def import_graph() -> dict[str, set[str]]:
    """Module → the modules that it imports."""
    known = modules()
    return {name: imports_of(path, known) for name, path in known.items()}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        waiting.append(node)
        for other in sorted(graph[node]):
            if other not in number:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in waiting:
                lowest[node] = min(lowest[node], number[other])
        if lowest[node] == number[node]:
            at = waiting.index(node)
            if len(group := waiting[at:]) > 1:
                found.append(sorted(group))
            del waiting[at:]

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def room_of(module: str) -> str:
    """The room in which a module stands."""
    return ".".join(module.split(".")[:2])


def room_graph(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Room → the rooms that it imports."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for module, imported in graph.items():
        if module not in PACKAGES:
            rooms[room_of(module)] |= {room_of(other) for other in imported} - {room_of(module)}
    return dict(rooms)


def floors(rooms: dict[str, set[str]], package: str) -> list[list[str]]:
    """The rooms of a package by floor, lowest first."""
    own = {room: {other for other in below if other.startswith(f"{package}.")}
           for room, below in rooms.items() if room.startswith(f"{package}.")}  # fmt: skip
    level: dict[str, int] = {}

    def height(room: str) -> int:
        if room not in level:
            level[room] = 1 + max((height(below) for below in own[room]), default=-1)
        return level[room]

    return [
        sorted(room for room in own if height(room) == floor)
        for floor in range(1 + max(map(height, own)))
    ]


def describe(room: str) -> Room:
    """A room with what its docstring says."""
    folder = ROOT / room.replace(".", "/")
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    sentence = " ".join(doc.split("\n\n")[0].split()).rstrip(".")
    return Room(room, sentence, len(list(folder.glob("**/*.py"))) if folder.is_dir() else 1)


def needed_arrows(rooms: dict[str, set[str]], package: str) -> list[tuple[str, str]]:
    """The imports between rooms of a package, without those that follow from others."""
    below = {room: {other for other in imported if other.startswith(f"{package}.")}
             for room, imported in rooms.items() if room.startswith(f"{package}.")}  # fmt: skip

    def reached(room: str) -> set[str]:
        return below[room].union(*(reached(other) for other in below[room]))

    return [
        (room, other)
        for room in sorted(below)
        for other in sorted(below[room])
        if not any(other in reached(between) for between in below[room] - {other})
    ]


def picture() -> str:
    """The SVG."""
    rooms = room_graph(import_graph())
    parts: list[str] = []
    top = 20
    for package in PACKAGES:
        storeys = floors(rooms, package)
        height = BAND + FLOOR * len(storeys)
        parts.append(f'<rect class="band" x="10" y="{top}" width="{WIDTH - 20}" '
                     f'height="{height}" rx="8"/>')  # fmt: skip
        parts.append(f'<text class="package" x="24" y="{top + 26}">{package}</text>')
        places: dict[str, tuple[int, int]] = {}
        for number, storey in enumerate(reversed(storeys)):
            wide = len(storey) * (BOX_WIDTH + GAP) - GAP
            for column, room in enumerate(storey):
                left = (WIDTH - wide) // 2 + column * (BOX_WIDTH + GAP)
                places[room] = left, top + BAND + number * FLOOR
        for room, other in needed_arrows(rooms, package):
            parts.append(_arrow(places[room], places[other]))
        for room, place in sorted(places.items()):
            parts += _box(describe(room), *place)
        top += height + 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
        f'aria-label="The rooms of the house">\n<style>{STYLE}</style>\n'
        '<defs><marker id="head" markerWidth="7" markerHeight="7" refX="6" refY="3.5" '
        'orient="auto"><path d="M0,0 L7,3.5 L0,7" fill="none"/></marker></defs>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _box(room: Room, left: int, top: int) -> list[str]:
    name = room.name.partition(".")[2]
    what = _shorten(room.what, 60)
    count = f" · {room.files}" if room.files > 1 else ""
    return [
        (
            f'<rect class="box" x="{left}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" '
            'rx="5">'
            f"<title>{escape(room.what)}</title></rect>"
        ),
        f'<text class="room" x="{left + 10}" y="{top + 19}">{name}{count}</text>',
        f'<text class="what" x="{left + 10}" y="{top + 36}">{escape(what)}</text>',
    ]


def _shorten(text: str, width: int) -> str:
    """As much of a text as fits; a Chinese character is as wide as two others."""
    used = 0
    for end, character in enumerate(text):
        used += 1 + (east_asian_width(character) in "WF")
        if used > width:
            return text[:end].rstrip() + "…"
    return text


def _arrow(upper: tuple[int, int], lower: tuple[int, int]) -> str:
    x1, y1 = upper[0] + BOX_WIDTH // 2, upper[1] + BOX_HEIGHT
    x2, y2 = lower[0] + BOX_WIDTH // 2, lower[1]
    bend = (y1 + y2) // 2
    return f'<path d="M{x1},{y1} C{x1},{bend} {x2},{bend} {x2},{y2}" marker-end="url(#head)"/>'


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
