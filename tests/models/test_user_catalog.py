"""Entries of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.models import user_catalog
from sinc_tui.models.catalog import catalog, model_for
from sinc_tui.models.pinning import pinned
from sinc_tui.models.references import parse
from tests.models.hubs import CONTENT, FAST, REPOSITORY, model
from tests.support.broken_gguf import write_model
from tests.support.hub_server import COMMIT, Hub


def test_added_it_is_in_the_catalogue_and_comments_stay(own_catalog: Path) -> None:
    own_catalog.write_text("# my models\n\n[old] # the old one\nfile = '/m.gguf' # here\n")
    assert user_catalog.add(model(decode="parallel", adapter="/a.gguf")) == own_catalog
    text = own_catalog.read_text()
    for kept in ("# my models", "# the old one", "# here"):
        assert kept in text
    assert list(catalog())[-2:] == ["old", "mine"]
    assert catalog()["mine"] == model(decode="parallel", adapter="/a.gguf")
    user_catalog.forget("mine")
    assert "mine" not in catalog()
    assert "# here" in own_catalog.read_text()


def test_the_file_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "new"))
    user_catalog.forget("mine")
    assert not paths.user_catalog().exists()
    user_catalog.add(model())
    assert catalog()["mine"] == model()


@pytest.mark.parametrize("name", ["tiny", "small", "", "a b", "../m", "m.gguf", "hf:x", "-m"])
def test_names_that_cannot_be(own_catalog: Path, name: str) -> None:
    with pytest.raises(SincError) as caught:
        user_catalog.add(model(name=name))
    assert caught.value.hint
    assert not own_catalog.exists()


def test_a_file_that_is_no_toml_is_left_alone(own_catalog: Path) -> None:
    own_catalog.write_text("[mine\n")
    with pytest.raises(SincError, match="line 1"):
        user_catalog.add(model())
    assert own_catalog.read_text() == "[mine\n"


def test_what_is_named_is_pinned_to_what_it_is_today(hub: Hub) -> None:
    entry = pinned(parse(f"hf:{REPOSITORY}/mine.gguf"), "mine", FAST)  # type: ignore[arg-type]
    assert entry.commit == COMMIT
    assert entry.files == model().files
    assert hub.sent == 0
    web = pinned(parse(f"{hub.url}/web/{REPOSITORY}/mine.gguf"), "mine", FAST)  # type: ignore[arg-type]
    assert (web.files[0].size, web.files[0].sha256) == (len(CONTENT), None)


def test_a_path_is_read(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    entry = pinned(parse(str(path)), "mine")  # type: ignore[arg-type]
    assert entry.pinned
    assert entry.size == path.stat().st_size
    path.write_bytes(b"no")
    with pytest.raises(SincError, match="no GGUF"):
        pinned(parse(str(path)), "mine")  # type: ignore[arg-type]
    assert model_for(str(path)).size is None
