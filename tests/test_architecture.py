"""The rooms: no circle of imports, no crowded folder, a picture and pages that are up to date."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from scripts import draw_rooms

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
MOST_FILES = 14


def test_no_module_imports_itself_by_a_detour_not_even_for_types_or_within_a_function() -> None:
    assert draw_rooms.circles(draw_rooms.import_graph()) == []


def test_no_room_imports_itself_by_a_detour() -> None:
    assert draw_rooms.circles(draw_rooms.room_graph(draw_rooms.import_graph())) == []


def test_a_circle_is_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "c"}}
    assert draw_rooms.circles(graph) == [["b", "c"]]


def test_no_folder_is_crowded() -> None:
    files = [p for package in draw_rooms.PACKAGES for p in (ROOT / package).rglob("*.py")]
    counts = Counter(str(p.parent.relative_to(ROOT)) for p in files if p.name != "__init__.py")
    assert {folder: n for folder, n in counts.items() if n > MOST_FILES} == {}


@pytest.mark.parametrize("package", draw_rooms.PACKAGES)
def test_the_contract_of_a_packages_rooms_has_the_floors_of_the_picture(package: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [c["layers"] for c in contracts["contracts"] if c.get("containers") == [package]]
    rooms = draw_rooms.room_graph(draw_rooms.import_graph())
    drawn = [room for floor in draw_rooms.floors(rooms, package) for room in floor]
    named = [name.strip() for layer in layers for name in re.split(r"[|:]", layer)]
    assert sorted(f"{package}.{name}" for name in named) == sorted(drawn)


def test_the_picture_is_drawn_from_the_imports_of_today() -> None:
    drawn = draw_rooms.PICTURE.read_text("utf-8")
    assert drawn == draw_rooms.picture(), "draw it again: scripts/draw_rooms.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
