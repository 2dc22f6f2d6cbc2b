import stat
from pathlib import Path

import pytest

from goldvein.errors import NotConfigured
from goldvein.identity.server_key import ServerKey, key_file, load, rotate
from goldvein.settings import Settings


def test_the_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    made = load(settings)
    assert load(settings).secrets == made.secrets
    assert len(made.secrets[0]) == 32
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file(settings).parent.stat().st_mode) == 0o700


def test_rotation_puts_a_new_secret_first_and_keeps_the_old_ones(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = load(settings)
    assert rotate(settings) == 2
    assert rotate(settings) == 3
    now = load(settings)
    assert now.secrets[-1:] == first.secrets
    assert len(set(now.secrets)) == 3
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600
    assert now.recognises(first.digest("api-key", "x"), "api-key", "x")
    assert not first.recognises(now.digest("api-key", "x"), "api-key", "x")
    assert now.stable_digest("pseudonym", "s", "p") == first.stable_digest("pseudonym", "s", "p")


def test_a_digest_is_of_one_purpose_and_of_the_parts_as_they_are() -> None:
    key = ServerKey(secrets=(b"k" * 32,))
    digests = {
        key.digest("api-key", "ab", "c"),
        key.digest("api-key", "a", "bc"),
        key.digest("api-key", "abc"),
        key.digest("session", "ab", "c"),
        ServerKey(secrets=(b"l" * 32,)).digest("api-key", "ab", "c"),
    }
    assert len(digests) == 5
    assert b"kkkk" not in repr(key).encode()


@pytest.mark.parametrize("text", ["", "xyz", "5f" * 31, "5f" * 33, "5f" * 32 + ",zz"])
def test_a_key_that_is_none_is_refused_before_anything_starts(tmp_path: Path, text: str) -> None:
    path = key_file(Settings(data_dir=tmp_path))
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(NotConfigured):
        load(Settings(data_dir=tmp_path))
    if text:
        with pytest.raises(NotConfigured):
            load(Settings(data_dir=tmp_path, server_key=text))


def test_the_setting_wins_over_the_file(tmp_path: Path) -> None:
    load(Settings(data_dir=tmp_path))
    chosen = load(Settings(data_dir=tmp_path, server_key=f"{'01' * 32},{'02' * 32}"))
    assert chosen.secrets == (b"\x01" * 32, b"\x02" * 32)
