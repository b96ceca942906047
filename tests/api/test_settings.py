"""What an installation is when nothing is said, and what it refuses to be."""

import pytest
from pydantic import ValidationError

from api.settings import Settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(f"MERIT_{field.upper()}", raising=False)


def test_nothing_said_is_an_embedded_ledger_served_to_this_machine_alone_in_chinese():
    settings = Settings()
    assert (settings.database, settings.host, settings.port, settings.language) == (
        "sqlite:///merit.db",
        "127.0.0.1",
        8000,
        "zh",
    )


def test_the_environment_sets_and_an_argument_overrides(monkeypatch):
    monkeypatch.setenv("MERIT_DATABASE", "postgresql://there/merit")
    monkeypatch.setenv("MERIT_PORT", "9000")
    assert Settings().port == 9000
    assert Settings(database="sqlite:///x.db").database == "sqlite:///x.db"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "0"), ("PORT", "65536"), ("PORT", "http"), ("LANGUAGE", "fr")]
)
def test_a_value_that_does_not_fit_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(f"MERIT_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
