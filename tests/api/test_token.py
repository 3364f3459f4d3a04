"""The token: made once, readable by its owner only, compared as a whole."""

from pathlib import Path

import pytest

from api import token
from streams.errors import SettingsError


def test_a_token_is_made_once_and_kept(tmp_path: Path) -> None:
    first = token.ensure(tmp_path)

    assert len(first) >= 43, "32 bytes in base64"
    assert token.ensure(tmp_path) == first == token.read(tmp_path)
    assert token.ensure(_new(tmp_path)) != first


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    token.ensure(tmp_path)
    (tmp_path / "token").chmod(0o644)
    token.ensure(tmp_path)

    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600


def test_a_token_that_is_missing_or_damaged_is_told_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        token.read(tmp_path)
    (tmp_path / "token").write_text("half-a-tok")

    with pytest.raises(SettingsError, match="damaged") as wrong:
        token.read(tmp_path)
    assert "half-a-tok" not in str(wrong.value)


@pytest.mark.parametrize("given", ["", "x", "a" * 43, "é" * 43])
def test_another_token_is_not_the_same(given: str) -> None:
    assert not token.same(given, "b" * 43)
    assert token.same("b" * 43, "b" * 43)


def _new(folder: Path) -> Path:
    (folder / "other").mkdir()
    return folder / "other"
