"""归因推演: the way from one side of a comparison to the other, on which each part of a difference
is found.

The parts are taken in a fixed order, each as the figure with it less the figure before it, so that
they add up:

    before → new rules → + own entries → + own reversals → everyone's: after

A person's own are the entries about them, and the measures of their branch and teams; an entry that
was recorded and reversed since leaves no trace. What rules and facts do only together falls to the
part that is taken later.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from projections.replay.causes import Causes, Compared, Parting, Unparted
from projections.replay.comparison import figure, figure_step
from projections.replay.one_person import Patch, patched
from projections.replay.overtaking import Displacements, moving_calls
from projections.replay.scenarios import Sight, World, known, places, sights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.errors import Finding
    from domain.evaluation.columns import Mask
    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from projections.evaluation.branches import Evaluator
    from projections.replay.comparison import Difference
    from projections.replay.scenarios import Known, Later, Place


def parted(
    evaluator: Evaluator, period: Period, later: Later, compared: Sequence[Compared]
) -> Parting:
    """The causes of the differences of branches that are evaluated under one program, as of one
    position.
    """
    found = Parting()
    sides = [side for side in compared if side.differences]
    for side in (side for side in sides if side.baseline.program is None):
        e = side.evaluation
        found.unparted.append(
            Unparted(e.period, e.branch, e.program.rulebook.id, None, "baseline", ())
        )
    sides = [side for side in sides if side.baseline.program is not None]
    if sides:
        _Way(evaluator, period, later, sides, found).go()
    return found


class _Own(NamedTuple):
    """Whose facts have changed in a branch's world: a person's (0: nobody's), and those of
    teams.
    """

    branch: str
    manager: int
    name: str  # where earlier statements of the person have changed or entries have, "" otherwise
    teams: tuple[int, ...]
    of_branch: bool  # whether measures of the branch have changed


_Figure = Decimal | tuple["Finding", ...]  # or why there is none


class _Way:
    """The way from the earlier side to the later one, for the branches of one program."""

    def __init__(
        self,
        evaluator: Evaluator,
        period: Period,
        later: Later,
        sides: Sequence[Compared],
        found: Parting,
    ) -> None:
        self.evaluator, self.period, self.found = evaluator, period, found
        self.program: Program = sides[0].evaluation.program
        self.step = figure_step(self.program.rulebook)
        self.sides = {side.evaluation.branch: side for side in sides}
        positions = {branch: side.baseline.position for branch, side in self.sides.items()}
        self.known: Known = known(
            evaluator, self.programs(), period, list(self.sides), (max(positions.values()), later)
        )
        self.places: dict[str, Place] = places(self.known, positions)
        self.told = {branch: self.told_anew(place) for branch, place in self.places.items()}
        self.figures: dict[tuple[_Own, str], dict[str, _Figure]] = {}
        self.first: dict[str, Sight] = {}
        self.old_rules: dict[str, Sight] = {}

    def programs(self) -> list[Program]:
        """The new rules, and all that the earlier sides were evaluated under."""
        before = {
            s.baseline.program.digest: s.baseline.program
            for s in self.sides.values()
            if s.baseline.program
        }
        return list(({self.program.digest: self.program} | before).values())

    def go(self) -> None:
        """Evaluates what stands between the two sides, and parts every difference."""
        own = {branch: dict(self.own(side)) for branch, side in self.sides.items()}
        moved = [self.places[branch] for branch in self.sides if self.has_changed(branch)]
        ruled = [place for place in moved if self.has_new_rules(place.branch)]
        asked = self.asked(moved, own)
        first = [branch for branch in self.sides if own[branch] or branch in asked]
        wanted = {place.branch: place for place in ruled} | {
            branch: self.places[branch] for branch in first
        }
        for sight in self.sights(
            self.program, [World(place, place.old) for place in wanted.values()]
        ):
            self.first[sight.branch] = sight
        self.look_at_own(own)
        self.look_at_old_rules(ruled)
        for branch, side in self.sides.items():
            self.part(side, own[branch])
        self.explain(asked)

    def sights(self, program: Program, worlds: Iterable[World]) -> Iterator[Sight]:
        return sights(self.evaluator, program, self.period, self.known, list(worlds))

    def has_new_rules(self, branch: str) -> bool:
        before = self.sides[branch].baseline.program
        return before is not None and before.digest != self.program.digest

    def has_changed(self, branch: str) -> bool:
        """Whether any fact of the branch counts for one side only."""
        place = self.places.get(branch)
        return place is not None and (bool(place.changed.any()) or bool(self.told[branch]))

    def told_anew(self, place: Place) -> set[str]:
        """Whose earlier statements, where the rulebook reads them, say something else by now."""
        if not self.known.told:
            return set()
        names = {
            self.known.symbols[number] for number in np.unique(place.manager).tolist() if number
        }
        now, then = self.known.position, place.position
        return {name for name in names if self.known.said(name, now) != self.known.said(name, then)}

    # whose own facts have changed

    def own(self, side: Compared) -> Iterator[tuple[str, _Own]]:
        """Everyone who differs and of whose own facts some count for one side only, with which
        these are.
        """
        branch = side.evaluation.branch
        if not self.has_changed(branch):
            return
        place = self.places[branch]
        people = set(place.manager[place.changed].tolist()) - {0}
        measures = place.changed & (place.manager == 0)
        of_branch, teams = (
            bool((measures & (place.team == 0)).any()),
            set(place.team[measures].tolist()) - {0},
        )
        told = self.told[branch]
        numbers = {self.known.symbols[number]: number for number in people}
        names_of_teams = {self.known.symbols[number]: number for number in teams}
        for difference in side.differences:
            name = difference.manager
            number = numbers.get(name, 0)
            theirs = tuple(
                sorted(names_of_teams[t] for t in {*difference.teams} & {*names_of_teams})
            )
            if number or theirs or of_branch or name in told:
                yield (
                    name,
                    _Own(branch, number, name if number or name in told else "", theirs, of_branch),
                )

    def look_at_own(self, own: dict[str, dict[str, _Own]]) -> None:
        """The figures of everyone in worlds where only their own facts have changed."""
        sharing: dict[_Own, list[str]] = defaultdict(list)
        for by_name in own.values():
            for name, whose in by_name.items():
                sharing[whose].append(name)
        whole: list[tuple[_Own, str, World]] = []
        alone: list[tuple[_Own, str, Patch]] = []
        for whose in sharing:
            for stage, world in self.stages(whose):
                if self.is_later(world):
                    after = {
                        d.manager: figure(d.after) for d in self.sides[whose.branch].differences
                    }
                    self.figures[whose, stage] = {name: after[name] for name in sharing[whose]}
                elif (patch := self.patch(whose, world)) is not None:
                    alone.append((whose, stage, patch))
                else:
                    whole.append((whose, stage, world))
        program, period, known = self.program, self.period, self.known
        ways = (
            (whole, self.sights(program, [world for *_, world in whole])),
            (
                alone,
                patched(self.evaluator, program, period, known, [patch for *_, patch in alone]),
            ),
        )
        for stages, seen in ways:
            for (whose, stage, _), sight in zip(stages, seen, strict=True):
                self.figures[whose, stage] = {
                    name: sight.findings or figure(sight.text(name, self.step))
                    for name in sharing[whose]
                }

    def patch(self, whose: _Own, world: World) -> Patch | None:
        """The branch as the new rules found it, but for this person; None where more has changed
        than their entries.
        """
        first, place = self.first.get(whose.branch), world.place
        if (
            first is None
            or first.findings
            or self.known.told
            or not whose.manager
            or whose.teams
            or whose.of_branch
        ):
            return None
        alone = world.counts & ((place.manager == whose.manager) | (place.manager == 0))
        return Patch(first, whose.name, World(place, alone))

    def is_later(self, world: World) -> bool:
        """Whether nothing else has changed: then it is the later side itself."""
        told = self.told[world.place.branch]
        return not _differ(world.counts, world.place.new) and told <= (world.later or frozenset())

    def stages(self, whose: _Own) -> Iterator[tuple[str, World]]:
        """Own entries, own reversals: only where there are any."""
        place = self.places[whose.branch]
        mine = place.holding(whose.manager, whose.teams)
        later = frozenset({whose.name} - {""})
        mid, new = (np.where(mine, state, place.old) for state in (place.mid, place.new))
        if later & self.told[whose.branch] or _differ(mid, place.old):
            yield "entries", World(place, mid, later)
        if _differ(mid, new):
            yield "reversals", World(place, new, later)

    def look_at_old_rules(self, between: Sequence[Place]) -> None:
        """The old rules with the facts of the later side."""
        by_program: dict[str, tuple[Program, list[Place]]] = {}
        for place in between:
            program = self.sides[place.branch].baseline.program
            assert program is not None
            by_program.setdefault(program.digest, (program, []))[1].append(place)
        for program, of in by_program.values():
            for sight in self.sights(program, [World(place, place.new, None) for place in of]):
                self.old_rules[sight.branch] = sight

    # the parts

    def part(self, side: Compared, own: dict[str, _Own]) -> None:
        """Everyone's parts; where no fact has changed, the rules alone make the difference."""
        branch = side.evaluation.branch
        first, new_rules = self.first.get(branch), self.has_new_rules(branch)
        if new_rules and first is not None and first.findings:
            self.refuse(side, None, "rule", first.findings)
            return
        old_rules = self.old_rules.get(branch)
        if old_rules is not None and old_rules.findings:
            self.refuse(side, None, "interaction", old_rules.findings)
        for difference in side.differences:
            before, after = figure(difference.before), figure(difference.after)
            ruled = (
                before
                if not new_rules
                else after
                if first is None
                else self.seen(first, difference.manager)
            )
            interaction: Decimal | None = Decimal(0)
            if new_rules and old_rules is not None:
                changed = after - self.seen(old_rules, difference.manager)
                interaction = None if old_rules.findings else changed - (ruled - before)
            self.part_one(
                side, difference, (before, ruled, after), own.get(difference.manager), interaction
            )

    def seen(self, sight: Sight, manager: str) -> Decimal:
        return figure(sight.text(manager, self.step))

    def part_one(
        self,
        side: Compared,
        difference: Difference,
        figures: tuple[Decimal, Decimal, Decimal],
        own: _Own | None,
        interaction: Decimal | None,
    ) -> None:
        """One person's parts, unless what stands between is refused."""
        before, at, after = figures
        parts = [at - before]
        for stage in ("entries", "reversals"):
            then = (
                at
                if own is None
                else self.figures.get((own, stage), {}).get(difference.manager, at)
            )
            if isinstance(then, tuple):
                self.refuse(side, difference.manager, stage, then)
                return
            parts.append(then - at)
            at = then
        self.found.causes[side.evaluation.branch, difference.manager] = Causes(
            parts[0], parts[1], parts[2], after - at, interaction
        )

    def refuse(
        self, side: Compared, manager: str | None, part: str, findings: tuple[Finding, ...]
    ) -> None:
        e = side.evaluation
        self.found.unparted.append(
            Unparted(e.period, e.branch, e.program.rulebook.id, manager, part, findings)
        )

    # why others moved somebody

    def asked(
        self, moved: Sequence[Place], own: dict[str, dict[str, _Own]]
    ) -> dict[str, list[str]]:
        """By branch, everyone who differs and whom only others can have moved."""
        if not moving_calls(self.program):
            return {}
        found = {
            place.branch: [
                d.manager
                for d in self.sides[place.branch].differences
                if d.manager not in own[place.branch]
            ]
            for place in moved
        }
        return {branch: names for branch, names in found.items() if names}

    def explain(self, asked: dict[str, list[str]]) -> None:
        """Who came past them in a rank or a distribution, or whose weight has changed in a
        share.
        """
        displacements = Displacements()
        for branch, names in asked.items():
            if not self.first[branch].findings:
                for name, text in displacements.reasons(
                    self.first[branch], self.last(branch), names
                ):
                    self.found.why[branch, name] = text

    def last(self, branch: str) -> Sight:
        """The later side itself."""
        evaluation = self.sides[branch].evaluation.columns
        assert evaluation is not None
        people = evaluation.people
        code = people.branches.index(branch) if branch in people.branches else len(people.branches)
        low, high = np.searchsorted(people.branch, [code, code + 1]).tolist()
        return Sight(branch, evaluation, low, high)


def _differ(a: Mask, b: Mask) -> bool:
    return bool((a != b).any())
