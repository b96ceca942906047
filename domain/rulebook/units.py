"""Units of figures: adding points to yuan is a mistake."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import Text

BASE_UNITS: dict[str, Text] = {
    "yuan": Text("元", "yuan"),
    "point": Text("分", "points"),
    "score": Text("分", "marks"),
    "piece": Text("件", "pieces"),
    "people": Text("人", "people"),
    "place": Text("名", "place"),  # in a ranking: the same unit as people, under another label
    "month": Text("个月", "months"),
    "hour": Text("小时", "hours"),
}
PLAIN = {"ratio", "grade", "tier"}  # figures without a unit
FLAG, TEXT, DATE, NUMBER = "flag", "text", "date", "number"


class UnknownUnit(ValueError):
    """A unit that the language does not have."""


@dataclass(frozen=True)
class Type:
    """The type of an expression: a number in a unit, a flag (0 or 1), a text or a date.

    `unit` has the exponents of base units. None is that of a figure written in the rule, which
    takes the unit of what it is added to or compared with.
    """

    kind: str
    unit: tuple[tuple[str, int], ...] | None = ()

    def __str__(self) -> str:
        if self.kind != NUMBER:
            return self.kind
        if not self.unit:
            return "ratio"
        above = "·".join(name for name, power in self.unit for _ in range(power))
        below = "·".join(name for name, power in self.unit for _ in range(-power))
        return f"{above or '1'}/{below}" if below else above


LITERAL = Type(NUMBER, None)
RATIO = Type(NUMBER)
PEOPLE = Type(NUMBER, (("people", 1),))
FLAG_TYPE, TEXT_TYPE, DATE_TYPE = Type(FLAG), Type(TEXT), Type(DATE)


def parse_unit(text: str) -> Type:
    """`yuan`, `point/piece`, `ratio`, `flag`, `text` … as a type. Raises UnknownUnit."""
    if text in {FLAG, TEXT, DATE}:
        return Type(text)
    powers: dict[str, int] = {}
    for index, name in enumerate(text.split("/")):
        if name in BASE_UNITS:
            base = "people" if name == "place" else name
            powers[base] = powers.get(base, 0) + (1 if index == 0 else -1)
        elif name not in PLAIN:
            raise UnknownUnit(name)
    return number(powers)


def number(powers: dict[str, int]) -> Type:
    """The number type with these exponents."""
    return Type(NUMBER, tuple(sorted((name, power) for name, power in powers.items() if power)))


def product(a: Type, b: Type, power: int = 1) -> Type:
    """The type of a × b**power; power -1 for a quotient."""
    if a.unit is None and b.unit is None:
        return LITERAL
    powers = dict(a.unit or ())
    for name, exponent in b.unit or ():
        powers[name] = powers.get(name, 0) + power * exponent
    return number(powers)


def unit_label(text: str, language: str) -> str:
    """A unit as people write it, such as `分/件`; "" for ratios, flags, texts and dates."""
    if text in PLAIN or text in {FLAG, TEXT, DATE}:
        return ""
    return "/".join(
        BASE_UNITS[name].in_language(language) if name in BASE_UNITS else ""
        for name in text.split("/")
    )
