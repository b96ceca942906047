"""Starting a command, as a process of its own: the processor time before and while it works."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from api.cli.demo.data import demo_entries
from benchmarks.measuring import Row
from domain.entries.parsing import parse_entry
from domain.identifiers import Period
from projections.service import Service

MERIT = str(Path(sys.executable).with_name("merit"))
REFERENCE = [sys.executable, "-c", "import numpy"]
TIMES = 7


def commands() -> Iterator[Row]:
    """Against importing numpy, compiled modules kept."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/demo.db"
        service = Service.open(address)
        service.ledger.append([parse_entry(raw) for raw in demo_entries()], by="bench")
        service.settle(Period.parse("2026-10"), "B01", None, by="bench")
        service.close()
        kept = {name: value for name, value in os.environ.items() if "BYTECODE" not in name}
        kept["PYTHONPYCACHEPREFIX"] = f"{folder}/compiled"
        for words in (["--help"], ["explain", "M0007", "2026-10", "--database", address]):
            pairs = [
                (_processor_seconds([MERIT, *words], kept), _processor_seconds(REFERENCE, kept))
                for _ in range(TIMES)
            ]
            ours, reference = median(a for a, _ in pairs), median(b for _, b in pairs)
            yield Row(
                f"`merit {words[0]}` (reference: `python -c 'import numpy'`; processor time)",
                f"{ours * 1000:.0f} ms",
                f"{reference * 1000:.0f} ms",
                f"{reference / ours:.2f}",
                "≥ 0.33",
            )


def _processor_seconds(command: list[str], environment: dict[str, str]) -> float:
    """What one run takes of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
