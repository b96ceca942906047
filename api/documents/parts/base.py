"""What every document is made of. HTTP and the command line print the same shapes."""

from __future__ import annotations

from typing import (
    Annotated,
    Any,
    Generic,
    NamedTuple,
    Protocol,
    Self,
    TypeVar,
    runtime_checkable,
)

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.identifiers import ID

D = TypeVar("D")
IdText = Annotated[str, StringConstraints(pattern=f"^{ID}$")]
RulebookId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
RulebookName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}(@\d{1,4}\.\d{1,4}\.\d{1,4})?$")
]
VersionText = Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
KeyText = Annotated[str, StringConstraints(pattern=f"^{ID}:{ID}$")]

DIGEST = "9f2d7c41a0b35e886d1c04f7b92ea3550c7f6e1d2b48a9930e57c1d4f6a8b270"
AT = "2026-11-05T02:14:07.120934Z"
RULES = {"id": "elastic-pay", "version": "3.0.0", "digest": DIGEST}
BOTH = {"zh": "薪酬", "en": "Pay"}


@runtime_checkable
class Document(Protocol):
    """What an act returns; every door can print it as JSON."""

    def json_bytes(self, *, indent: int | None = None) -> bytes:
        """The document as JSON."""


SALE = {
    "kind": "sale",
    "source": "crm",
    "source_id": "2026-10-000123",
    "manager": "M0007",
    "month": "2026-10",
    "item": "group_members",
    "quantity": "12",
}


class Shape(BaseModel):
    """Any body: what it does not name is a mistake."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """The document of a value that has these fields as attributes."""
        return cls.model_validate(value, from_attributes=True)

    def json_bytes(self, *, indent: int | None = None) -> bytes:
        """The document as JSON. A field that nobody set is left out."""
        return self.model_dump_json(exclude_unset=True, by_alias=True, indent=indent).encode()


class Written(NamedTuple, Generic[D]):
    """What an act that wrote returns: the document, and the ledger position that was reached."""

    document: D
    position: int


class Page(NamedTuple, Generic[D]):
    """A page of a list, and the cursor at which the next page begins; None: it is the last one."""

    document: D
    cursor: int | None


def example(**values: Any) -> ConfigDict:
    """The configuration of a shape with this example."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def one_example(value: object, summary: str) -> dict[str, object]:
    """An example of a body that has no shape of its own, as OpenAPI lists it."""
    return {summary: {"summary": summary, "value": value}}


# Evaluations


class Rules(Shape):
    """A version of a rulebook."""

    id: str
    version: str
    digest: str


class Warning(Shape):  # noqa: A001 - the public format's word
    """What must be seen beside a statement."""

    code: str
    step: str
    about: str


class Finding(Shape):
    """Why an evaluation was refused; what is not known is null."""

    code: str
    manager: str | None
    step: str | None
    entry: str | None
    message: str


class Figures(Shape):
    """One person's figures, by step."""

    manager: str
    team: str
    steps: dict[str, str]
    warnings: list[Warning]


class Totals(Shape):
    """Of a branch: how many people, and Σ pay where the rulebook pays."""

    managers: int
    pay: str | None = None


class Evaluation(Shape):
    """A branch's period under a rulebook."""

    period: str
    branch: str
    rulebook: Rules
    position: int
    digest: str
    statements: list[Figures]
    totals: Totals
    findings: list[Finding] = Field(default_factory=list)


FIGURES = {
    "manager": "M0007",
    "team": "T1",
    "steps": {"points": "4200", "pay": "4200"},
    "warnings": [],
}
EVALUATION = {
    "period": "2026-10",
    "branch": "B01",
    "rulebook": RULES,
    "position": 1042,
    "digest": DIGEST,
    "statements": [FIGURES],
    "totals": {"managers": 1, "pay": "4200"},
}


class Both(Shape):
    """Words in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in `zh` or `en`."""
        return self.en if language == "en" else self.zh
