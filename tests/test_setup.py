"""Setting up: what is pinned, and what a machine that lacks something is told."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")
PIN = re.compile(
    r"^([a-z0-9-]+)==(\S+)( ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)


def pins(lock: str) -> set[tuple[str, str]]:
    return {
        (name, version) for name, version, _, _ in PIN.findall((ROOT / lock).read_text("utf-8"))
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_pinned_has_its_hashes_and_says_nothing_of_where_it_came_from(lock):
    text = (ROOT / lock).read_text("utf-8")
    started = re.findall(r"^[a-zA-Z0-9].*$", text, re.MULTILINE)
    assert len(PIN.findall(text)) == len(started) > 0
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=)", text, re.MULTILINE)


def test_a_larger_environment_holds_the_smaller_ones_to_the_version():
    plain, dev, bench = map(pins, LOCKS)
    assert plain < dev < bench
    assert "setuptools" in dict(plain)


@pytest.fixture
def copy(tmp_path):
    """A root with nothing in it but what setting up reads."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/setup", tmp_path / "scripts/setup")
    for name in ("pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def set_up(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("bash"), "scripts/setup", *arguments],
        cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def tools(folder: Path, *names: str) -> str:
    """A PATH with these commands and no others."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


NEEDED = ("dirname", "flock", "cat", "cut", "head", "rm", "sha256sum")


def test_a_machine_without_python_is_told_what_to_install(copy):
    done = set_up(copy, PATH=tools(copy / "bin", *NEEDED))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_without_venv_is_told_its_debian_package(copy):
    path = tools(copy / "bin", *NEEDED)
    (copy / "bin/python3").symlink_to(Path(sys.executable).resolve())
    (copy / "ensurepip.py").write_text("raise ImportError")
    done = set_up(copy, PATH=path, PYTHONPATH=str(copy))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert re.search(r"apt-get install python3\.\d+-venv\n", done.stderr)


def test_an_unknown_option_is_a_wrong_call(copy):
    done = set_up(copy, "--everything", PATH=os.environ["PATH"])
    assert done.returncode == 2
    assert "--everything" in done.stderr


@pytest.mark.parametrize("script", ["setup", "demo", "test", "bench", "lock"])
def test_every_script_can_be_run_and_is_whole(script):
    assert os.access(ROOT / "scripts" / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / "scripts" / script], check=True)
