"""The HTTP endpoints: a body becomes the arguments of one act, its document becomes the response.

The modules of this folder are the one list of routes: a new topic is a new module.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from fastapi import APIRouter

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_routers() -> Iterator[APIRouter]:
    """Every router of the modules here, in the order of their names."""
    for module in iter_modules(__path__):
        members = vars(import_module(f"{__name__}.{module.name}"))
        yield from (member for member in members.values() if isinstance(member, APIRouter))
