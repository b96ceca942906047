"""A made-up branch to look at: B01, forty managers in four teams, three months of `elastic-pay`.

Nobody here exists. The figures come from a generator of our own, so that every Python on every
machine makes the same ones. Some of it is arranged, to have something worth looking at:

- M0007, October: rated best, but deducted 900.50 points on a base of 800: capped at 800, and barred
from tiers 1 and 2.
- M0023, October: hardly any sales after an illness: lifted to the minimum wage.
- M0012, October: performance points over the cap of 8000; M0021 and M0038 are over 6000, should it
be lowered to that.
- T4, September: no ADC and MAS groups, so the team misses two KPIs and its people are barred from
tiers 1 and 2.
- M0006, August: accountable in the provincial assessment, and barred without a point deducted for
it.
"""

from __future__ import annotations

MONTHS = ("2026-08", "2026-09", "2026-10")
LAST = MONTHS[-1]
BRANCH, TEAM_SIZE, MANAGERS = "B01", 10, range(1, 41)
GRADES = (6, 8, 5, 4, 7)
INDUSTRIES = ("education", "transport", "rural", "general")
DIMENSIONS = ("customer_orientation", "initiative", "teamwork", "ability")
DEDUCTIONS = ("member_retention", "bundling_rate", "arrears_recovery")
TARGETS = {"group_count": "24", "group_members": "320", "adc_groups": "14", "mas_groups": "14"}

# The least and the most of each item that a manager sells in a month.
SALES = {
    "group_count": (1, 4),
    "group_members": (12, 60),
    "adc_groups": (1, 3),
    "mas_groups": (1, 3),
    "effective_customers": (20, 120),
    "global_pass": (5, 40),
    "smart_network": (3, 30),
    "key_products": (0, 4),
    "premium_groups": (0, 1),
    "quality_groups": (0, 2),
}
INDUSTRY_SALES = {
    "education": {
        "campus_link": (300, 1500),
        "smart_card": (50, 300),
        "education_projects": (0, 2),
    },
    "transport": {"transport_terminals": (40, 160), "transport_projects": (0, 2)},
    "rural": {"rural_link": (150, 1200), "rural_products": (20, 120), "rural_projects": (0, 2)},
    "general": {"other_industry": (30, 80)},
}
STARS = {7: 2, 12: 6, 21: 4, 38: 5}  # manager → how many times as much as others they sell

# What is arranged instead of drawn, in the last month.
ARRANGED_DEDUCTIONS = {
    7: {"arrears_recovery": "460", "member_retention": "260", "bundling_rate": "180.50"},
    23: {"arrears_recovery": "120"},
}
ARRANGED_SALES = {23: {"group_count": "1", "group_members": "24", "global_pass": "6"}}
ARRANGED_SCORES = {7: (97, 99), 23: (58, 62)}

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何"
# two characters each
GIVEN_NAMES = "晓岚建平文博雨桐志远丽华子墨春燕国栋静怡海涛雪梅俊杰思琪永强佳宁立新若曦明哲秀英"


def demo_entries() -> list[dict[str, object]]:
    """Every entry of the branch, as they are sent, in an order that a ledger accepts;
    always the same.
    """
    branch = _Branch()
    branch.assign()
    for month in MONTHS:
        branch.measure(month)
        branch.deduct(month)
        branch.sell(month)
        branch.rate(month)
    branch.decide()
    return branch.entries


class _Branch:
    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self.state = 2026

    def draw(self, low: int, high: int) -> int:
        """A number from low to high: a linear congruential generator with Knuth's constants, its
        upper half used.
        """
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return low + (self.state >> 33) % (high - low + 1)

    def add(self, kind: str, source: str, source_id: str, **fields: object) -> None:
        self.entries.append({"kind": kind, "source": source, "source_id": source_id, **fields})

    def assign(self) -> None:
        for number in MANAGERS:
            self.assignment(number, MONTHS[0], GRADES[number % len(GRADES)])
        self.assignment(15, LAST, 7, note="年度职级晋升：六级升七级")

    def assignment(self, number: int, month: str, grade: int, **fields: object) -> None:
        self.add(
            "assignment",
            "hr",
            f"A-{month}-{_manager(number)}",
            manager=_manager(number),
            name=_name(number),
            month=month,
            branch=BRANCH,
            team=_team(number),
            role="customer_manager",
            grade=grade,
            attributes={"industry": _industry(number)},
            **fields,
        )

    def measure(self, month: str) -> None:
        for item, value in (("minimum_wage", "2010"), ("gs_adjustment.education", "0.1")):
            self.add(
                "measure",
                "branch",
                f"V-{month}-{item}",
                month=month,
                branch=BRANCH,
                item=item,
                value=value,
            )
        for team in sorted({_team(number) for number in MANAGERS}):
            for item, value in TARGETS.items():
                self.add(
                    "measure", "branch", f"V-{month}-{team}-{item}",
                    month=month, branch=BRANCH, team=team, item=f"target.{item}", value=value,
                )  # fmt: skip

    def deduct(self, month: str) -> None:
        for number in MANAGERS:
            drawn = {item: str(self.draw(10, 90)) for item in DEDUCTIONS if self.draw(1, 3) == 1}
            for item, points in (
                ARRANGED_DEDUCTIONS.get(number, drawn) if month == LAST else drawn
            ).items():
                self.of_manager("deduction", "billing", number, month, item, points=points)

    def sell(self, month: str) -> None:
        for number in MANAGERS:
            ranges = SALES | INDUSTRY_SALES[_industry(number)]
            drawn = {
                item: str(self.draw(*ends) * STARS.get(number, 1)) for item, ends in ranges.items()
            }
            if month == MONTHS[1] and _team(number) == "T4":
                drawn = {
                    item: quantity
                    for item, quantity in drawn.items()
                    if item not in {"adc_groups", "mas_groups"}
                }
            for item, quantity in (
                ARRANGED_SALES.get(number, drawn) if month == LAST else drawn
            ).items():
                if quantity != "0":
                    self.of_manager("sale", "crm", number, month, item, quantity=quantity)

    def rate(self, month: str) -> None:
        """Leader and a colleague rate everyone, a customer every second one; the leader puts the
        team in order.
        """
        led: dict[int, int] = {}
        for number in MANAGERS:
            usual = 70 + number * 13 % 20
            ends = (usual - 6, usual + 6)
            if month == LAST:
                ends = ARRANGED_SCORES.get(number, ends)
            colleague = number - 1 if number % TEAM_SIZE != 1 else number + 1
            raters = [
                ("leader", f"L-{_team(number)}"),
                ("peer", _manager(colleague)),
                ("customer", f"C{number:04d}"),
            ]
            for item in DIMENSIONS:
                for level, rater in raters[: 2 + number % 2]:
                    score = self.draw(*ends)
                    led[number] = led.get(number, 0) + (score if level == "leader" else 0)
                    self.of_manager(
                        "rating",
                        "review",
                        number,
                        month,
                        item,
                        level,
                        score=str(score),
                        rater=rater,
                        rater_level=level,
                    )
        for place, number in enumerate(
            sorted(MANAGERS, key=lambda number: (_team(number), -led[number], number))
        ):
            self.of_manager(
                "rating", "review", number, month, "team_rank", score=str(place % TEAM_SIZE + 1)
            )

    def decide(self) -> None:
        """What people decided: adjustments, and reversals of what turned out to be wrong."""
        self.of_manager(
            "deduction",
            "billing",
            6,
            MONTHS[0],
            "provincial_accountability",
            points="0",
            note="省公司考核扣分责任人",
        )
        self.of_manager(
            "adjustment",
            "branch",
            16,
            MONTHS[1],
            "adjustment",
            points="60",
            reason="支援省公司专项，集体评议加分",
        )
        self.of_manager(
            "adjustment",
            "branch",
            5,
            LAST,
            "adjustment",
            points="-40",
            reason="月报迟交，集体评议扣分",
        )
        self.of_manager(
            "adjustment", "branch", 28, LAST, "adjustment", amount="300.00", reason="带教新员工津贴"
        )
        shared = {"quantity": "0.5", "amount": "18000.00", "note": "与同事合作开发，各计一半"}
        for number in (9, 10):
            self.of_manager("sale", "crm", number, LAST, "premium_groups", "shared", **shared)

        self.of_manager("sale", "crm", 18, LAST, "mas_groups", "again", quantity="2")
        self.reverse("crm", f"sale-{LAST}-M0018-mas_groups-again", "重复录入")
        self.of_manager("deduction", "billing", 30, LAST, "arrears_recovery", "late", points="150")
        self.reverse(
            "billing", f"deduction-{LAST}-M0030-arrears_recovery-late", "客户在当月已缴清欠费"
        )
        self.of_manager(
            "deduction", "billing", 26, MONTHS[0], "member_retention", "late", points="45"
        )
        wrong = self.reverse(
            "billing", f"deduction-{MONTHS[0]}-M0026-member_retention-late", "误认为成员已回网"
        )
        self.reverse("branch", wrong, "核实成员未回网，恢复扣减")

    def of_manager(
        self,
        kind: str,
        source: str,
        number: int,
        month: str,
        item: str,
        suffix: str = "",
        **fields: object,
    ) -> None:
        name = "-".join(filter(None, (kind, month, _manager(number), item, suffix)))
        day = f"{month}-{self.draw(1, 28):02d}"
        self.add(
            kind,
            source,
            name,
            manager=_manager(number),
            month=month,
            occurred_on=day,
            item=item,
            **fields,
        )

    def reverse(self, source: str, source_id: str, reason: str) -> str:
        """Reverses an entry, or a reversal of the branch; answers the reversal's own number."""
        own = f"R{sum(entry['kind'] == 'reversal' for entry in self.entries) + 1:03d}"
        self.add(
            "reversal",
            "branch",
            own,
            reverses={"source": source, "source_id": source_id},
            reason=reason,
        )
        return own


def _manager(number: int) -> str:
    return f"M{number:04d}"


def _team(number: int) -> str:
    return f"T{(number - 1) // TEAM_SIZE + 1}"


def _industry(number: int) -> str:
    return INDUSTRIES[number % len(INDUSTRIES)]


def _name(number: int) -> str:
    given = (number + number // 20) * 2 % len(GIVEN_NAMES)
    return SURNAMES[number * 3 % len(SURNAMES)] + GIVEN_NAMES[given : given + 2]
