"""A replay in words."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from api.cli.printing import replays as printing
from domain.errors import Finding, Text
from projections.replay.causes import Causes, Unattributed, add_up_causes
from projections.replay.comparison import Difference
from tests.command_line import merit


def test_a_difference_has_its_sign() -> None:
    assert [printing.signed(figure) for figure in ("12.5", "-3", "0")] == ["+12.5", "-3", "0"]


def test_progress_is_quiet_for_a_second_and_a_line_off_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.StringIO()
    with printing.progress(Console(file=out)) as report:
        report("2026-09", 1, 2)
        assert out.getvalue() == ""
        monkeypatch.setattr(printing, "SHOW_PROGRESS_AFTER_SECONDS", 0)
        report("2026-10", 2, 2)
    assert out.getvalue() == "2026-10 2/2\n"


def test_a_comparison_says_where_each_difference_comes_from_and_which_causes_are_unknown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    causes = Causes(Decimal(50), Decimal(0), Decimal(0), Decimal(-200), None)
    difference = Difference(
        *("M0008", "B01", "T1", "2026-10", "elastic-pay", "pay", "2025", "1875"),
        difference=Decimal(-150),
        steps=(),
        causes=causes,
        why=Text("「档」由 2 降到 3", "“Tier” falls from 2 to 3"),
    )
    finding = Finding("code", None, None, None, Text("没有", "none"))
    unattributed = [
        Unattributed("2026-10", "B01", "elastic-pay", None, "interaction", (finding,)),
        Unattributed("2026-10", "B02", "elastic-pay", None, "baseline", ()),
    ]
    printing.causes(add_up_causes([causes], unattributed), [difference], "en")
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if "M0008" in line)
    assert row.split()[2:8] == ["-150", "+50", "0", "0", "-200", "–"]
    assert "“Tier” falls from 2 to 3" in row
    assert "Taken in this order" in out
    assert (
        "2026-10 B01: the causes cannot be told (interaction): what stands between is refused: "
        "没有 / none" in out
    )
    assert "2026-10 B02: never settled" in out


def test_a_long_comparison_says_how_many_more_there_are(demo: str, tmp_path: Path) -> None:
    text = merit("rulebook", "show", "elastic-pay", database=demo).out
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        text.replace(
            "{8: 1275, 7: 1150, 6: 1025, 5: 800, 4: 655}", "{8: 1, 7: 1, 6: 1, 5: 1, 4: 1}"
        ),
        "utf-8",
    )
    asked = ("replay", "2026-10", "--rulebook", draft, "--against", "settled")
    differing = len(merit(*asked, "--json", database=demo).json["comparison"]["differences"])
    assert differing > printing.SHOWN
    said = merit(*asked, "--lang", "en", database=demo).out
    assert f"… and {differing - printing.SHOWN} more" in said
