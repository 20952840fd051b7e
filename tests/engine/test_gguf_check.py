"""What a person can have got wrong about a model file, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.errors import SincError
from tests.support.broken_gguf import write_model

HEADER = b"GGUF" + (3).to_bytes(4, "little") + bytes(16)


def refusal(path: Path) -> str:
    with pytest.raises(SincError) as caught:
        check_gguf(path)
    assert caught.value.hint
    return caught.value.message


def test_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.gguf") == f"There is no file {tmp_path}/no.gguf."


def test_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is a folder."


def test_unreadable(tmp_path: Path) -> None:
    """Through a file, round in circles, with a name too long: no permission is needed to fail."""
    file = tmp_path / "file"
    file.touch()
    assert refusal(file / "m.gguf") == f"{file}/m.gguf cannot be read: Not a directory."
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    assert "cannot be read: Too many levels of symbolic links." in refusal(circle)
    assert "cannot be read: File name too long." in refusal(tmp_path / ("x" * 300))


def test_not_permitted(tmp_path: Path) -> None:
    path = tmp_path / "locked.gguf"
    path.write_bytes(HEADER)
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        assert refusal(path) == f"{path} cannot be read: Permission denied."
    else:
        pytest.skip("this user may read everything")


@pytest.mark.parametrize("content", [b"", b"G", b"GGU", b"#!/bin/sh\n" * 9, b"abcd" + bytes(40)])
def test_no_gguf(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert refusal(path) == f"{path} is no GGUF model."


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (HEADER[:23], 3),
        (HEADER[:4], 0),
        (b"GGUF\x01" + HEADER[5:], 1),
        (b"GGUF\x63" + HEADER[5:], 99),
    ],
)
def test_damaged(tmp_path: Path, content: bytes, version: int) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert f"damaged, or a GGUF of an unknown version ({version})" in refusal(path)


def test_a_header_is_not_enough(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(HEADER)
    assert refusal(path) == f"{path} is damaged: it holds no tensors."


def test_a_whole_model(tmp_path: Path) -> None:
    check_gguf(write_model(tmp_path / "m.gguf"))


def test_all_parts_of_a_split_model_are_looked_at(tmp_path: Path) -> None:
    first = write_model(tmp_path / "m-00001-of-00002.gguf")
    assert refusal(first) == f"There is no file {tmp_path}/m-00002-of-00002.gguf."
    (tmp_path / "m-00002-of-00002.gguf").write_bytes(first.read_bytes()[:9999])
    assert "00002-of-00002.gguf is damaged" in refusal(first)


@pytest.mark.parametrize("what", ["adapter", "mmproj"])
def test_parts_of_models(tmp_path: Path, what: str) -> None:
    path = write_model(tmp_path / "m.gguf", kind=what)
    assert f"{path} is " in refusal(path)


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    check_gguf(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert "of its bytes are missing" in refusal(path)
