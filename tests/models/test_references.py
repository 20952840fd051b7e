"""What a user may write where a model is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinc_tui.errors import SincError
from sinc_tui.models.references import (
    HubReference,
    NameReference,
    PathReference,
    WebReference,
    parse,
    split_names,
)

COMMIT = "ebb2015119c907b064c512bf053e945850b5875f"


def test_names() -> None:
    assert parse("small", {"small"}) == NameReference("small")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf:me/models/m.gguf", HubReference("me/models", "m.gguf")),
        ("hf:me/models/sub/m.Q4.gguf@v1", HubReference("me/models", "sub/m.Q4.gguf", "v1")),
        (f"hf:me/models/m.gguf@{COMMIT}", HubReference("me/models", "m.gguf", COMMIT)),
        (
            "https://huggingface.co/me/models/resolve/main/sub/m.gguf?download=true",
            HubReference("me/models", "sub/m.gguf"),
        ),
        (
            "https://huggingface.co/me/models/blob/refs%2Fpr%2F1/m.gguf",
            HubReference("me/models", "m.gguf", "refs/pr/1"),
        ),
        ("https://example.org/a/m.gguf?x=1", WebReference("https://example.org/a/m.gguf?x=1")),
        ("http://127.0.0.1:80/m.gguf", WebReference("http://127.0.0.1:80/m.gguf")),
        ("http://[::1]/m.gguf", WebReference("http://[::1]/m.gguf")),
        ("/models/m.gguf", PathReference(Path("/models/m.gguf"))),
        ("~/m.gguf", PathReference(Path.home() / "m.gguf")),
        ("models/blob", PathReference(Path.cwd() / "models/blob")),
        ("m.gguf", PathReference(Path.cwd() / "m.gguf")),
    ],
)
def test_what_is_understood(text: str, expected: object) -> None:
    assert parse(text) == expected


def test_a_bare_word_that_is_a_file_is_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").touch()
    assert parse("model") == PathReference(tmp_path / "model")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("large", "no model 'large'"),
        ("", "no model ''"),
        (" ", "no model ' '"),
        ("m\0.gguf", "no model"),
        ("m" * 5000, "no model"),
        ("hf:m.gguf", "no file of the Hub"),
        ("hf:me/models", "no file of the Hub"),
        ("hf:me/models/m.bin", "no file of the Hub"),
        ("hf:me/models/m.gguf@", "no file of the Hub"),
        ("hf:me/../m.gguf", "no file of the Hub"),
        ("hf:me/models/../m.gguf", "no file of the Hub"),
        ("http://example.org/m.gguf", "unencrypted"),
        ("https://me:secret@example.org/m.gguf", "holds a password"),
        ("https://example.org/m.bin", "no .gguf file"),
        ("https://[/m.gguf", "no address"),
        ("ftp://example.org/m.gguf", "no address of the web"),
        ("https:///m.gguf", "no address of the web"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SincError) as caught:
        parse(text)
    assert reason in caught.value.message
    assert caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["hf:me/models/m.gguf", "hf:me/models/m.gguf@v1", "https://example.org/m.gguf", "/m.gguf"],
)
def test_printed_it_is_what_was_written(text: str) -> None:
    assert str(parse(text)) == text


def test_split_files() -> None:
    assert split_names("m.gguf") == ["m.gguf"]
    assert split_names("m-00002-of-00003.gguf") == [f"m-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    with pytest.raises(SincError, match="part 4 of 3"):
        split_names("m-00004-of-00003.gguf")
