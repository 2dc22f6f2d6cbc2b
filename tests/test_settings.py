from pathlib import Path

import pytest

from goldvein.errors import NotConfigured
from goldvein.identity import server_key
from goldvein.settings import Settings, load


def test_without_variables_the_store_is_sqlite_in_the_data_folder(tmp_path: Path) -> None:
    settings = load({"GOLDVEIN_DATA_DIR": str(tmp_path)})
    assert settings.store_url == f"sqlite:///{tmp_path}/goldvein.db"
    assert settings.base_url == "http://127.0.0.1:8787"


def test_an_unknown_variable_is_an_error_that_names_it() -> None:
    with pytest.raises(NotConfigured, match="GOLDVEIN_PROT is not a setting"):
        load({"GOLDVEIN_PROT": "9000"})


def test_variables_of_other_programs_are_not_ours() -> None:
    assert load({"PATH": "/bin", "GOLD": "1"}).port == 8787


@pytest.mark.parametrize(
    ("variable", "text"),
    [("PORT", "http"), ("PORT", "-1"), ("PORT", ""), ("ALLOW_DATABASE_OWNER", "maybe"), ("LOG_LEVEL", "loud"),
     ("DATABASE_URL", "mysql://localhost/x")],
)  # fmt: skip
def test_an_unreadable_value_is_an_error_that_names_the_variable(variable: str, text: str) -> None:
    with pytest.raises(NotConfigured, match=f"GOLDVEIN_{variable}"):
        load({f"GOLDVEIN_{variable}": text})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ab" * 32 + "\n")
    assert load({"GOLDVEIN_SERVER_KEY_FILE": str(path)}).server_key == "ab" * 32


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="GOLDVEIN_SERVER_KEY_FILE"):
        load({"GOLDVEIN_SERVER_KEY_FILE": str(tmp_path / "missing")})


def test_a_variable_and_its_file_form_together_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ab" * 32)
    with pytest.raises(NotConfigured, match="not both"):
        load({"GOLDVEIN_SERVER_KEY": "cd" * 32, "GOLDVEIN_SERVER_KEY_FILE": str(path)})


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d"])
def test_postgresql_urls_get_our_driver(url: str) -> None:
    assert load({"GOLDVEIN_DATABASE_URL": url}).store_url == "postgresql+psycopg://u@h/d"


def test_secrets_are_not_in_the_repr() -> None:
    settings = Settings(server_key="ab" * 32, api_key="gv_test_x")
    assert "abab" not in repr(settings)
    assert "gv_test_x" not in repr(settings)


def test_the_first_start_makes_a_key_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = server_key.load(settings)
    path = server_key.key_file(settings)
    assert path.stat().st_mode & 0o777 == 0o600
    assert server_key.load(settings) == first


def test_a_rotated_key_still_recognises_what_the_old_one_hashed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    old = server_key.load(settings)
    assert server_key.rotate(settings) == 2
    new = server_key.load(settings)
    assert new.digest("x", "a") != old.digest("x", "a")
    assert new.recognises(old.digest("x", "a"), "x", "a")
    assert new.stable_digest("x", "a") == old.stable_digest("x", "a")
    assert server_key.key_file(settings).stat().st_mode & 0o777 == 0o600


def test_a_broken_key_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    path = server_key.key_file(settings)
    path.parent.mkdir()
    path.write_text("short\n")
    with pytest.raises(NotConfigured, match=r"server\.key"):
        server_key.load(settings)
