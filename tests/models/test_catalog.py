"""Models by name, and models that no catalogue knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinc_tui.errors import NoModel, SincError
from sinc_tui.models.catalog import EMBEDDED, catalog, known, located, model_for, named
from sinc_tui.models.download import Download
from sinc_tui.models.references import HubReference, PathReference, WebReference
from sinc_tui.settings import Settings
from tests.models.hubs import FAST, model
from tests.support.hub_server import Hub

OLD_FORM = """
[mine]
about = "Mine."
repository = "someone/models"
commit = "0123456789abcdef0123456789abcdef01234567"
file = "mine.gguf"
size = 768008
sha256 = "{sha256}"
licence = "MIT"
memory = 1
"""


def test_the_shipped_catalogue_is_pinned() -> None:
    assert list(catalog())[:4] == [EMBEDDED, "small", "medium", "full"]
    for entry in catalog().values():
        assert entry.pinned
        assert entry.size
        assert entry.package or len(entry.commit) == 40
        assert all(file.file.endswith(".gguf") for file in entry.files)
        assert entry.context
        assert entry.memory
        assert entry.licence == "Apache-2.0"


def test_the_short_form_of_one_file_is_read(hub: Hub, own_catalog: Path) -> None:
    sha256 = model().files[0].sha256
    assert sha256 is not None
    own_catalog.write_text(OLD_FORM.format(sha256=sha256))
    entry = known("mine")
    assert [file.size for file in entry.files] == [768008]
    assert Download(entry, options=FAST).run().path.is_file()
    assert named("mine").name == "mine"


def test_names_that_are_not_here_say_what_to_do(hub: Hub) -> None:
    with pytest.raises(SincError, match="not on this machine") as caught:
        named("small")
    assert caught.value.hint == "Get it: sinc-tui models pull small"
    with pytest.raises(SincError, match="no model large") as caught:
        known("large")
    assert "small" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[mine]\nabout = "half"\n', "the entry mine lacks the key file."),
        (
            "[mine\n",
            "it is not TOML (Expected ']' at the end of a table declaration (at line 1, column 6)).",
        ),
        (
            '[mine]\nfile = "m.gguf"\nsize = -1\n',
            "in the entry mine, size should be greater than 0, and is -1.",
        ),
        (
            '[mine]\nfiles = [{ file = "m.gguf", sha256 = "abc" }]\n',
            "in the entry mine, files.0.sha256 should match pattern '^[0-9a-f]{64}$', and is 'abc'.",
        ),
        (
            '[mine]\nfile = "m.gguf"\ndecode = "sideways"\n',
            "in the entry mine, decode should be 'sequential' or 'parallel', and is 'sideways'.",
        ),
        (
            '[mine]\nfile = "m.gguf"\ncolour = 1\n',
            "the entry mine has a key colour, which no entry has.",
        ),
        (
            '[mine]\nfile = "m.gguf"\nname = "x"\n',
            "the entry mine has a key name, which no entry has.",
        ),
        ("[mine]\nfiles = 1\n", "in the entry mine, files should be a valid list, and is 1."),
        ("[mine]\nfiles = [1]\n", "in the entry mine, files.0 is 1 and not a table."),
        ("mine = 3\n", "mine is 3 and not an entry, which begins with [mine]."),
        ("# caf\udce9\n", "it is not UTF-8 (byte 5)."),
    ],
)
def test_a_wrong_catalogue_of_the_user_names_file_entry_and_key(
    own_catalog: Path, text: str, reason: str
) -> None:
    own_catalog.write_text(text, errors="surrogateescape")
    with pytest.raises(SincError) as caught:
        catalog()
    assert caught.value.message == f"{own_catalog} is no catalogue of models: {reason}"
    assert "catalog.toml" in caught.value.hint


def test_models_that_no_catalogue_knows() -> None:
    hub = model_for("hf:me/models/sub/m-00001-of-00002.gguf@v1")
    assert (hub.repository, hub.commit, hub.size, hub.pinned) == ("me/models", "v1", None, False)
    assert [hub.reference(file) for file in hub.files] == [
        HubReference("me/models", f"sub/m-0000{n}-of-00002.gguf", "v1") for n in (1, 2)
    ]
    web = model_for("https://example.org/a/m-00001-of-00002.gguf")
    assert [web.reference(file) for file in web.files] == [
        WebReference(f"https://example.org/a/m-0000{n}-of-00002.gguf") for n in (1, 2)
    ]
    path = model_for("/models/m.gguf")
    assert path.reference(path.files[0]) == PathReference(Path("/models/m.gguf"))


def test_a_path_is_used_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "other program" / "m.gguf"
    path.parent.mkdir()
    path.touch()
    assert named(str(path)).path == path
    assert named(str(path)).name == "m"
    assert located(model_for(str(path))) == path


def test_a_file_that_is_gone(own_catalog: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    own_catalog.write_text(f'[mine]\nfile = "{path}"\n')
    for name, hint in (
        ("mine", "Put it there again, or take it out: sinc-tui models rm --forget mine"),
        (str(path), "Check the path."),
    ):
        with pytest.raises(NoModel) as caught:
            named(name)
        assert str(caught.value) == f"There is no file {path}. {hint}"
        with pytest.raises(NoModel, match=f"There is no file .*{hint}"):
            Download(model_for(name), options=FAST).run()


def test_a_folder_in_a_files_place(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.mkdir()
    with pytest.raises(NoModel, match=r"There is no file .*m\.gguf"):
        named(str(path))


def test_the_settings_override_the_order_of_the_catalogue() -> None:
    entry = model(decode="parallel")
    assert Settings().decode_for("mine", entry.decode) == "parallel"
    assert Settings(decode={"mine": "sequential"}).decode_for("mine", entry.decode) == "sequential"
