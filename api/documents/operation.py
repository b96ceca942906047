"""Operation: whether the service runs, what its problems mean, what rebuilding found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from api.documents.parts.base import Both, Shape, example


class Health(Shape):
    """That it runs."""

    model_config = example(status="ok")
    status: Literal["ok"]


class Ready(Health):
    """That the store answers, too."""

    model_config = example(status="ok", position=1092)
    position: int


NOT_FOUND = {
    "type": "/problems/not_found",
    "code": "not_found",
    "status": 404,
    "title": {"zh": "不存在", "en": "Not found"},
    "meaning": {"zh": "请核对地址和编号", "en": "Check the address and the ids"},
}


class ProblemKind(Shape):
    """A kind of problem."""

    model_config = example(**NOT_FOUND)
    type: str
    code: str
    status: int
    title: Both
    meaning: Both


class ProblemKinds(Shape):
    """All kinds."""

    model_config = example(problems=[NOT_FOUND])
    problems: list[ProblemKind]


@dataclass(frozen=True)
class RebuiltModel:
    """A read model's digests before and after it was derived again."""

    before: str
    after: str
    same: bool


Rebuilt = dict[str, RebuiltModel]  # by the name of the read model

METRICS = 'merit_entries_total{outcome="accepted"} 1042.0\n'
