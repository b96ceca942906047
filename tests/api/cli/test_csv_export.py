"""Answers as tables: exactly the figures, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from api.cli.csv_export import as_text, write_csv
from api.documents.replays import ReplayedRows
from domain.evaluation.statements import Statement
from projections.evaluation.branches import BranchEvaluation
from projections.replay.replay import Answer
from tests.facts import shipped_program


@pytest.mark.parametrize(
    ("value", "cell"),
    [("12.50", "12.50"), ("-3", "-3"), ("-0.01", "-0.01"), (None, ""), ("good", "good"), ("=1+1", "'=1+1"),
     ("+cmd", "'+cmd"), ("@x", "'@x"), ("-1+2", "'-1+2"), ("-x", "'-x")],
)  # fmt: skip
def test_a_cell_is_a_figure_or_text(value: str | None, cell: str) -> None:
    assert as_text(value) == cell


def test_without_a_comparison_there_is_a_row_for_every_step(tmp_path: Path) -> None:
    statement = Statement("-M1", "B01", "T1", {"gs_tier": "3", "pay": "1825.50"}, ())
    evaluation = BranchEvaluation("2026-10", "B01", shipped_program("elastic-pay"), 1, [statement])
    write_csv(tmp_path / "a.csv", ReplayedRows.of(Answer([evaluation], as_of=1)))
    assert (
        (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfperiod,")
    )  # so that Excel reads Chinese
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    of = ["2026-10", "B01", "elastic-pay", "3.0.0", "'-M1", "T1"]
    assert rows[1:] == [[*of, "gs_tier", "3"], [*of, "pay", "1825.50"]]
