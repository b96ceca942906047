"""Cells of a workbook that show an error or were never calculated. The library reads them as empty,
and an empty team would silently turn a team's measure into the whole branch's; so the sheet's XML
is searched for them.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from zipfile import ZipFile

if TYPE_CHECKING:
    from pathlib import Path

WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
SUSPECT = re.compile(
    rb'<(\w+:)?f[ />]|\bt="e"'
)  # an error or a formula; without one, no sheet need be parsed


def uncalculated_cells(path: Path) -> frozenset[str]:
    """The names (`K5`) of such cells in the first sheet."""
    with ZipFile(path) as archive:
        sheet = archive.read(_first_sheet(archive))
    if not SUSPECT.search(sheet):
        return frozenset()
    return frozenset(cell.get("r", "") for cell in _elements(sheet, "c") if _uncalculated(cell))


def _first_sheet(archive: ZipFile) -> str:
    """The path in the archive of the sheet whose tab is the first."""
    sheet = _elements(archive.read(WORKBOOK), "sheet")[0]
    relation = {name.rpartition("}")[2]: value for name, value in sheet.items()}["id"]
    targets = {
        found.get("Id"): found.get("Target", "")
        for found in _elements(archive.read(RELATIONS), "Relationship")
    }
    return posixpath.join("/xl", targets[relation]).lstrip("/")


def _elements(xml: bytes, name: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(xml)  # noqa: S314 - the expat of Python 3.11 and later bounds entity expansion
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == name]


def _uncalculated(cell: ElementTree.Element) -> bool:
    parts = {part.tag.rpartition("}")[2]: part.text for part in cell}
    return cell.get("t") == "e" or ("f" in parts and not parts.get("v") and cell.get("t") != "str")
