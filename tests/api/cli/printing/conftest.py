"""The demo ledger, made once for a file of tests."""

from __future__ import annotations

import pytest

from tests.command_line import merit


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db"
    assert merit("demo", "--as", "演示", database=url).status == 0
    return url
