"""Asks llama.cpp's own grammar sampler about texts; a process of its own, for it aborts on misuse.

Arguments: a model file (only its vocabulary is loaded) and a grammar file. Standard input: a JSON
list of texts. Standard output: a JSON list of true (the whole text is accepted, and may end there)
and false; or `null` when the grammar itself is refused.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

import llama_cpp


def load_vocabulary(path: str) -> Any:
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(path.encode(), parameters)
    return llama_cpp.llama_model_get_vocab(model)


def tokens_of(vocab: Any, text: str) -> list[int]:
    raw = text.encode()
    room = (llama_cpp.llama_token * (len(raw) + 8))()
    count = llama_cpp.llama_tokenize(vocab, raw, len(raw), room, len(room), False, False)
    assert count >= 0
    return list(room[:count])


def takes(sampler: Any, token: int) -> bool:
    one = (llama_cpp.llama_token_data * 1)(llama_cpp.llama_token_data(id=token, logit=0.0, p=0.0))
    array = llama_cpp.llama_token_data_array(data=one, size=1, selected=-1, sorted=False)
    llama_cpp.llama_sampler_apply(sampler, ctypes.byref(array))
    return bool(one[0].logit == 0.0)


def accepts(grammar: Any, vocab: Any, text: str) -> bool:
    sampler = llama_cpp.llama_sampler_clone(grammar)
    try:
        for token in tokens_of(vocab, text):
            if not takes(sampler, token):
                return False
            llama_cpp.llama_sampler_accept(sampler, token)
        return takes(sampler, llama_cpp.llama_vocab_eos(vocab))
    finally:
        llama_cpp.llama_sampler_free(sampler)


def main() -> None:
    answers, texts = os.dup(1), json.load(sys.stdin)
    os.dup2(2, 1)
    vocab = load_vocabulary(sys.argv[1])
    grammar = llama_cpp.llama_sampler_init_grammar(vocab, Path(sys.argv[2]).read_bytes(), b"root")
    found = [accepts(grammar, vocab, text) for text in texts] if grammar else None
    os.write(answers, json.dumps(found).encode())


if __name__ == "__main__":
    main()
