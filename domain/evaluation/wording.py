"""Formulas in words: an expression with labels, or with one person's figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from domain.numbers import plain
from domain.rulebook.expressions import (
    Binary,
    Call,
    Choice,
    Comparison,
    Logical,
    Name,
    Node,
    Number,
    Quotient,
    Words,
)
from domain.rulebook.vocabulary import (
    CHOICE,
    FIXED,
    FUNCTIONS,
    HALF_UP,
    JOINERS,
    NOT,
    NOTHING,
    REFUSALS,
    SIGNS,
)

if TYPE_CHECKING:
    from domain.errors import Text

WordsOfName = Callable[[str], str]
Bound = tuple[str, int]  # words, and how strongly they hold together
WordsOfCall = Callable[[Call], Bound | None]
# How strongly words hold together: where what is around binds more strongly, they get brackets.
OUTERMOST, LOOSE, SUM, PRODUCT, ONE = -1, 0, 1, 2, 3
STRENGTH = {"+": SUM, "-": SUM, "*": PRODUCT}
# What is said behind a part is about that part alone, and about the whole of it.
SAID_BEHIND = {"round", "floor", "otherwise", "mean"}


def in_words(
    node: Node, language: str, show: WordsOfName, show_call: WordsOfCall | None = None
) -> str:
    """The expression in `zh` or `en`; `show` gives the words (or the figure) for a name.

    `show_call` may word a call in its own way, such as by the figures behind a total, and says how
    strongly that holds together; where it gives None, the call gets its usual phrase.
    """
    return _Wording(language, show, show_call).word(node, OUTERMOST)


class _Wording:
    def __init__(self, language: str, show: WordsOfName, show_call: WordsOfCall | None) -> None:
        self.language, self.show, self.show_call = language, show, show_call

    def phrase(self, words: Text, *parts: object, **named: object) -> str:
        return words.in_language(self.language).format(*parts, **named)

    def word(self, node: Node, strength_around: int = LOOSE) -> str:
        """The words; in brackets where what is around binds more strongly."""
        match node:
            case Number():
                return plain(node.value)
            case Words():
                return f"“{node.value}”"
            case Name():
                fixed = FIXED.get(node.name)
                return fixed.in_language(self.language) if fixed else self.show(node.name)
            case Call():
                text, strength = (self.show_call and self.show_call(node)) or self.call(node)
            case _:
                text, strength = self.join(node)
        return f"({text})" if strength < strength_around else text

    def join(self, node: Node) -> Bound:
        """The words of an expression of several parts, and how strongly it binds."""
        match node:
            case Quotient():
                dividend, divisor = self.word(node.dividend, PRODUCT), self.word(node.divisor, ONE)
                rounded = self.phrase(HALF_UP, places=node.places)
                return f"{dividend} ÷ {divisor}{rounded}", LOOSE
            case Binary():
                strength = STRENGTH[node.operator]
                left = self.word(node.left, strength)
                right = self.word(node.right, strength + (node.operator == "-"))
                return f"{left} {SIGNS[node.operator]} {right}", strength
            case Comparison():
                left, right = (self.compared(side) for side in (node.left, node.right))
                return f"{left} {SIGNS[node.operator]} {right}", LOOSE
            case Logical(operator="not"):
                return self.phrase(NOT, self.word(node.parts[0], SUM)), LOOSE
            case Logical():
                joiner = JOINERS[node.operator].in_language(self.language)
                return joiner.join(self.word(part) for part in node.parts), OUTERMOST
            case Choice():
                then, condition = self.word(node.then), self.word(node.condition)
                return self.phrase(CHOICE, then, condition, self.word(node.otherwise)), OUTERMOST
        raise AssertionError(node)

    def compared(self, side: Node) -> str:
        """A side of a comparison: there `team` is the person's own, and no population."""
        is_own = isinstance(side, Name) and side.name == "team"
        return self.show("team") if is_own else self.word(side, SUM)

    def call(self, node: Call) -> Bound:
        function = FUNCTIONS[node.function]
        arguments = [self.argument(node, argument) for argument in node.arguments]
        second = node.arguments[1] if len(node.arguments) > 1 else None
        phrase = function.phrase
        if node.function == "otherwise" and isinstance(second, Name) and second.name == "none":
            phrase = NOTHING
        elif function.of_population is not None and second is not None:
            phrase = function.of_population
        separator = "，" if self.language == "zh" else ", "
        text = self.phrase(phrase, *arguments, all=separator.join(arguments))
        for name, value in node.options:
            text += self.phrase(function.options[name], self.word(value))
        return text, LOOSE if node.function in SAID_BEHIND else ONE

    def argument(self, node: Call, argument: Node) -> str:
        """The words of an argument; a code is said in words."""
        if node.function == "refuse" and isinstance(argument, Words):
            return self.phrase(REFUSALS[argument.value])
        is_followed = node.function in SAID_BEHIND and argument is node.arguments[0]
        return self.word(argument, PRODUCT if is_followed else LOOSE)
