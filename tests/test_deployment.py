"""The containers: what the Dockerfile and docker-compose.yml name must exist, and mean what the
settings mean.
"""

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from api.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
POSTGRES, SERVICE = COMPOSE["services"]["postgres"], COMPOSE["services"]["service"]
REQUIRED = re.compile(r"\$\{POSTGRES_PASSWORD:\?.+\}")


def dockerfile() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def arguments(instruction: str) -> list[str]:
    return [rest for word, rest in dockerfile() if word == instruction]


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in arguments("ENV") for pair in line.split())


def test_the_database_is_postgresql_16_on_a_volume_that_is_declared():
    assert POSTGRES["image"] == "postgres:16"
    volume, mount = POSTGRES["volumes"][0].split(":")
    assert volume in COMPOSE["volumes"]
    assert mount == "/var/lib/postgresql/data"


def test_the_service_is_built_here_and_waits_until_the_database_is_healthy():
    assert SERVICE["build"] == "."
    assert SERVICE["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    probe = POSTGRES["healthcheck"]["test"]
    assert probe[0] == "CMD-SHELL"
    assert probe[1].startswith("pg_isready --host 127.0.0.1 ")
    assert f"--username {POSTGRES['environment']['POSTGRES_USER']}" in probe[1]


def test_the_service_names_the_database_the_user_and_the_password_of_the_postgres_service():
    user, base = POSTGRES["environment"]["POSTGRES_USER"], POSTGRES["environment"]["POSTGRES_DB"]
    assert SERVICE["environment"]["MERIT_DATABASE"] == f"postgresql://{user}@postgres:5432/{base}"
    assert SERVICE["environment"]["PGPASSWORD"] == POSTGRES["environment"]["POSTGRES_PASSWORD"]


def test_no_password_is_written_down_and_none_is_assumed():
    assert REQUIRED.fullmatch(POSTGRES["environment"]["POSTGRES_PASSWORD"])


@pytest.mark.parametrize("named", [*image_environment(), *SERVICE["environment"]])
def test_every_variable_of_the_service_is_a_setting(named):
    if named.startswith("MERIT_"):
        assert named.removeprefix("MERIT_").lower() in Settings.model_fields


def test_the_settings_accept_what_the_containers_set(monkeypatch):
    for name, value in {**image_environment(), **SERVICE["environment"]}.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside a container, that is what is published
    assert settings.database.startswith("postgresql://")
    assert settings.port == 8000


def test_one_port_is_exposed_published_probed_and_listened_on():
    port = image_environment()["MERIT_PORT"]
    assert arguments("EXPOSE") == [port]
    assert SERVICE["ports"] == [f"${{MERIT_PUBLISH:-127.0.0.1:{port}}}:{port}"]
    assert str(Settings.model_fields["port"].default) == port


def test_the_image_probes_the_live_route_on_its_own_port():
    (probe,) = arguments("HEALTHCHECK")
    assert "http://127.0.0.1:$MERIT_PORT/health/live" in probe


def test_the_image_installs_by_hash_and_runs_the_service_as_nobody_special():
    instructions = dockerfile()
    assert instructions[0] == ("FROM", "python:3.12-slim")
    assert "pip install --require-hashes -r requirements.lock" in arguments("RUN")
    assert json.loads(arguments("CMD")[0]) == ["merit", "serve"]
    assert instructions.index(("USER", "merit")) > max(
        i for i, (word, _) in enumerate(instructions) if word == "RUN"
    )


def test_what_the_image_copies_exists_and_is_not_ignored_and_no_package_is_forgotten():
    copied = [name for line in arguments("COPY") for name in line.split()[:-1]]
    ignore_lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = [line[1:] for line in ignore_lines if line.startswith("!")]
    assert all((ROOT / name).exists() for name in copied)
    assert sorted(copied) == sorted(kept)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for pattern in pyproject["tool"]["setuptools"]["packages"]["find"]["include"]:
        assert any(fnmatch(name, pattern) for name in copied)


def test_the_licence_is_apache_2_in_full_as_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert project["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "9. Accepting Warranty or Additional Liability." in text
