"""A GGUF's vocabulary through llama.cpp: tokenizing and the bytes of every token."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import llama_cpp

from sinc_tui.errors import SincError

_CONTROL = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
_UNUSABLE = _CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNUSED | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED


class LlamaVocab:
    """The vocabulary of a loaded model (`engine.layout.Tokenizer`).

    Holds the model alive: the vocabulary is a part of it.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._vocab = llama_cpp.llama_model_get_vocab(model)
        self.size: int = llama_cpp.llama_vocab_n_tokens(self._vocab)

    @classmethod
    def from_file(cls, path: Path) -> LlamaVocab:
        """The vocabulary alone, in well under a second; raises `SincError` for no GGUF."""
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise SincError(f"{path} is no GGUF model.", hint="Name a .gguf file.")
        return cls(model)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text, control tokens never among them."""
        return self._tokenize(text, special=False)

    def control(self, text: str) -> list[int]:
        """Ids of template text, in which control tokens are themselves."""
        return self._tokenize(text, special=True)

    def pieces(self) -> list[bytes]:
        """The bytes of every token, by id; empty for tokens that are no text."""
        return [self._piece(token) for token in range(self.size)]

    def end_of_generation(self, token: int) -> bool:
        """Whether a token ends the model's turn."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def leading(self) -> list[int]:
        """The token that the model expects before all others; empty where it expects none."""
        wanted = llama_cpp.llama_vocab_get_add_bos(self._vocab)
        return [llama_cpp.llama_vocab_bos(self._vocab)] if wanted else []

    def _piece(self, token: int) -> bytes:
        if llama_cpp.llama_vocab_get_attr(self._vocab, token) & _UNUSABLE:
            return b""
        buffer = ctypes.create_string_buffer(256)
        length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[:length] if length > 0 else b""

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", errors="replace")
        buffer = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(
            self._vocab, data, len(data), buffer, len(buffer), False, special
        )
        return list(buffer[:count])
