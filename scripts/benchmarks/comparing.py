"""A settled month of 1,000 branches of 100 under revised rules, with what was recorded and reversed
since, from SQLite.

The causes of everybody's difference, against the same comparison without them. Reading the facts is
timed beside it.
"""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.measuring import Row, seconds
from domain.entries.parsing import parse_entry
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from projections.replay.question import Question
from projections.replay.replay import Answer, answer_question
from projections.service import Service

BRANCHES, PEOPLE, TEAM = 1_000, 100, 20
MONTH = "2026-10"
PERIOD = Period.parse(MONTH)
BATCH = 100  # branches imported together
DIMENSIONS = ("customer_orientation", "initiative", "teamwork", "ability")


def comparisons() -> Iterator[Row]:
    """Each in a process of its own, so that its memory is its own."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/province.db"
        with context.Pool(1) as pool:
            pool.apply(prepare, (url,))
        with context.Pool(1) as pool:
            alone, *_ = pool.apply(compare, (url, False))
        with context.Pool(1) as pool:
            time, reading, memory, people = pool.apply(compare, (url, True))
    what = (
        f"compare {BRANCHES:,} branches of {PEOPLE} under revised rules with causes, {people:,} "
        "differ "
        f"(reference: without causes; facts are read in {reading:.1f} s; at most {memory:,} MB)"
    )
    yield Row(what, f"{time:.1f} s", f"{alone:.1f} s", f"{alone / time:.2f}", "≤ 10 s, < 2,000 MB")


def compare(url: str, causes: bool) -> tuple[float, float, int, int]:
    """Seconds of the comparison and of reading its facts, peak memory in MB, and how many people
    differ.
    """
    book = Service.open(url)
    text = book.rulebooks.find("elastic-pay").text
    draft = program_of(
        text.replace("share: 0.60, points: 800", "share: 0.60, points: 850"), "draft.yaml"
    )
    question = Question((PERIOD,), draft=draft, against="settled", causes=causes)
    answers: list[Answer] = []
    book.facts.symbols()
    reading = seconds(lambda: read(book))
    time = seconds(lambda: answers.append(answer_question(book, question)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found = answers[0].comparison
    assert found is not None
    assert not causes or (found.causes and not found.causes.unparted)
    book.close()
    return time, reading, peak, len(found.differences)


def read(book: Service) -> None:
    """The month's facts, as every evaluation reads them."""
    month, position = PERIOD.last.index, book.ledger.position()
    book.facts.facts(month, month, branches=None, as_of=position)
    book.facts.assignments(month, branches=None, as_of=position)


def prepare(url: str) -> None:
    """Imports the month, settles every branch, and records what came late: of six people in each
    branch.
    """
    book = Service.open(url)
    for first in range(0, BRANCHES, BATCH):
        raw = [e for number in range(first, first + BATCH) for e in branch(number)]
        book.ledger.append([parse_entry(e) for e in raw], by="bench")
    for number in range(BRANCHES):
        book.settle(PERIOD, f"B{number:04d}", "elastic-pay", by="bench")
    late = [parse_entry(e) for number in range(BRANCHES) for e in since(number)]
    assert {outcome.status for outcome in book.ledger.append(late, by="bench")} == {"accepted"}
    book.close()


def branch(number: int) -> Iterator[dict[str, Any]]:
    """The entries of a branch: figures that differ from person to person, with ties and barred
    people.
    """
    name = f"B{number:04d}"
    yield entry("measure", f"{name}-wage", item="minimum_wage", value="2000", branch=name)
    for place in range(PEOPLE):
        manager, mixed = (
            f"M{number * PEOPLE + place:06d}",
            (number * 7919 + place * 104_729) % 9_973,
        )
        team, named = f"T{place // TEAM}", {"name": manager, "role": "customer_manager"}
        yield entry(
            "assignment",
            manager,
            manager=manager,
            branch=name,
            team=team,
            grade=4 + mixed % 5,
            **named,
        )
        for n, item in enumerate(DIMENSIONS):
            score = str(60 + mixed * (n + 3) % 40)
            yield entry("rating", f"{manager}-{item}", manager=manager, item=item, score=score)
        points = str(mixed % 400)
        yield entry(
            "deduction", f"{manager}-d", manager=manager, item="arrears_recovery", points=points
        )
        for n, item in enumerate(("group_count", "group_members", "mas_groups")):
            quantity = str(1 + mixed * (n + 1) % 30)
            yield entry("sale", f"{manager}-{item}", manager=manager, item=item, quantity=quantity)


def since(number: int) -> Iterator[dict[str, Any]]:
    """Two sales, two deductions and two reversals."""
    people = [f"M{number * PEOPLE + place:06d}" for place in range(0, PEOPLE, PEOPLE // 6)]
    for n, manager in enumerate(people[:6]):
        key = {"source_id": f"{manager}-late"}
        if n % 3 == 0:
            yield entry("sale", manager=manager, item="group_members", quantity="7", **key)
        elif n % 3 == 1:
            yield entry("deduction", manager=manager, item="arrears_recovery", points="301", **key)
        else:
            reverses = {"source": "bench", "source_id": f"{manager}-d"}
            yield {
                "kind": "reversal",
                "source": "bench",
                **key,
                "reverses": reverses,
                "reason": "bench",
            }


def entry(kind: str, source_id: str = "", **fields: Any) -> dict[str, Any]:
    of = {"occurred_on": f"{MONTH}-12"} if kind == "deduction" else {}
    return {"kind": kind, "source": "bench", "source_id": source_id, "month": MONTH, **of, **fields}
