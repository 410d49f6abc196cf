"""Settings: where they come from, and what production refuses."""

import secrets

import pytest

from coop.config import Settings, UnsafeSettings

KEY, FIELD = "8f1c0b7d5a3e9f26" * 4, "03a7f1c9d25e8b64" * 4
GOOD = {
    "COOP_PRODUCTION": "1",
    "COOP_BASE_URL": "https://coop.town",
    "COOP_TRUSTED_HOSTS": "coop.town www.coop.town",
    "SECRET_KEY": KEY,
    "FIELD_KEY": FIELD,
    "DATABASE_URL": "postgresql://coop_app:x@db/coop",
    "REDIS_URL": "redis://:ae5f@broker/0",
    "SMTP_URL": "smtps://coop:ae5f@mail.town",
}


def test_good_settings_start():
    settings = Settings.from_environment(GOOD)
    settings.check()
    assert settings.production
    assert settings.database_url == settings.owner_url == "postgresql+psycopg://coop_app:x@db/coop"
    assert settings.trusted_hosts == ("coop.town", "www.coop.town")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY has 5 characters"),
        ({"SECRET_KEY": "a" * 64}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "change-me-please-0123456789-abcdef"}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY_FALLBACKS": "old"}, "number 1 of SECRET_KEY_FALLBACKS has 3 characters"),
        ({"FIELD_KEY": ""}, "FIELD_KEY is missing"),
        ({"FIELD_KEY": "00" * 32}, "FIELD_KEY is missing or can be guessed"),
        ({"COOP_BASE_URL": "http://coop.town"}, "must begin with https://"),
        ({"COOP_TRUSTED_HOSTS": ""}, "COOP_TRUSTED_HOSTS is missing"),
        ({"COOP_TRUSTED_HOSTS": "*"}, "trusts everybody"),
        ({"COOP_TRUSTED_HOSTS": "elsewhere.town"}, "does not name the host"),
        ({"REDIS_URL": "redis://broker/0"}, "REDIS_URL has no password"),
        ({"SMTP_URL": ""}, "SMTP_URL is missing, so nobody would get a letter"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG is on"),
        ({"FAIL": "before_commit:kill"}, "FAIL is set"),
    ],
)
def test_production_refuses(change, fault):
    with pytest.raises(UnsafeSettings, match=fault.replace(".", r"\.")) as refused:
        Settings.from_environment(GOOD | change).check()
    assert len(refused.value.faults) == 1


def test_all_faults_are_named_at_once():
    with pytest.raises(UnsafeSettings) as refused:
        Settings.from_environment({"COOP_PRODUCTION": "1", "FLASK_DEBUG": "1"}).check()
    assert len(refused.value.faults) == 6


def test_an_address_the_world_can_reach_means_production():
    assert Settings.from_environment(
        {name: word for name, word in GOOD.items() if name != "COOP_PRODUCTION"}
    ).production


def test_secrets_come_from_files_too(tmp_path):
    path = tmp_path / "secret_key"
    path.write_text(f"{KEY}\n")
    words = {name: word for name, word in GOOD.items() if name != "SECRET_KEY"} | {"SECRET_KEY_FILE": str(path)}
    assert Settings.from_environment(words).secret_keys == (KEY,)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UnsafeSettings, match="SECRET_KEY_FILE points to"):
        Settings.from_environment(GOOD | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "none")})


def test_secrets_are_made_once_outside_production(tmp_path):
    first, second = (Settings.from_environment({"COOP_HOME": str(tmp_path)}) for _ in range(2))
    assert first == second
    assert len(first.secret_keys[0]) == 64
    assert len(first.field_key) == 32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"FIELD_KEY": "xyz"}, "64 hexadecimal digits"),
        ({"FIELD_KEY": "ab"}, "has 2 hexadecimal digits"),
        ({"COOP_PROXY_HOPS": "-1"}, "whole number from 0"),
        ({"COOP_PROXY_HOPS": "¹"}, "whole number from 0"),
        ({"FAIL": "commit"}, "name:kill"),
    ],
)
def test_a_malformed_setting_is_named(change, said):
    with pytest.raises(UnsafeSettings, match=said):
        Settings.from_environment(GOOD | change)


def test_a_started_process_reads_the_same_settings():
    settings = Settings.from_environment(GOOD | {"SECRET_KEY_FALLBACKS": secrets.token_hex(32), "COOP_PROXY_HOPS": "1"})
    assert Settings.from_environment(settings.environment()) == settings


def test_secrets_do_not_appear_when_settings_are_printed():
    said = repr(Settings.from_environment(GOOD))
    assert KEY not in said
    assert FIELD not in said
    assert "ae5f" not in said
