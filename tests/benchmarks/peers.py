"""One peer in a process of its own: `PYTHON peers.py NAME MODEL THREADS CONTEXT SCHEMA`.

Run by `documents.py` with the Python of the peers' virtual environment; needs nothing of sinc-tui.
Reads a JSON line for each prompt (`system`, `prompt`, `tokens` of both in ChatML, `most`: tokens that
the answer may take) and writes one: `text`, `seconds` and `first`, counted from the call of the peer
to the end and to the first character of the first band. Greedy; no other option than what is named here
is changed from the peer's own default. The first line written is `{"version": ...}`: ready and warm.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

_FIRST = re.compile(r'"x"\s*:\s*"[^"\s]')
Heard = Callable[[str], None]


def llama_server(
    model: str, threads: int, context: int, schema: Any
) -> Callable[[Any, Heard], None]:
    """llama.cpp's own server (in xllamacpp), asked in its own process, without HTTP in between.

    It has a DRY penalty; it gets ours, so that the same student loops as little here.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = context
    params.n_parallel = 1
    params.verbosity = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)

    def ask(request: Any, heard: Heard) -> None:
        def chunk(data: Any) -> None:
            if "error" in data:
                raise RuntimeError(str(data["error"]))
            heard(data["choices"][0]["text"])

        server.handle_completions(
            {
                "prompt": request["tokens"],
                "json_schema": schema,
                "temperature": 0,
                "dry_multiplier": 0.8,
                "dry_base": 1.75,
                "dry_allowed_length": 3,
                "max_tokens": request["most"],
                "stream": True,
            },
            chunk,
        )

    return ask


def llama_cpp_python(
    model: str, threads: int, context: int, schema: Any
) -> Callable[[Any, Heard], None]:
    """llama-cpp-python's chat completion with `response_format`, as its README shows it."""
    from llama_cpp import Llama, LlamaGrammar

    LlamaGrammar.from_json_schema(json.dumps(schema))  # response_format hides a refusal
    llama = Llama(model, n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False)

    def ask(request: Any, heard: Heard) -> None:
        stream = llama.create_chat_completion(
            messages=[
                {"role": "system", "content": request["system"]},
                {"role": "user", "content": request["prompt"]},
            ],
            response_format={"type": "json_object", "schema": schema},
            temperature=0.0,
            repeat_penalty=1.0,
            max_tokens=request["most"],
            stream=True,
        )
        for part in stream:
            heard(part["choices"][0]["delta"].get("content") or "")

    return ask


def guidance(model: str, threads: int, context: int, schema: Any) -> Callable[[Any, Heard], None]:
    """guidance's own JSON function on llama.cpp; it puts all fixed parts in without sampling them."""
    from guidance import json as json_node
    from guidance.models import LlamaCpp

    start = LlamaCpp(
        model,
        echo=False,
        enable_monitoring=False,
        n_ctx=context,
        n_threads=threads,
        n_threads_batch=threads,
    )

    def ask(request: Any, heard: Heard) -> None:
        lm = start + (
            f"<|im_start|>system\n{request['system']}<|im_end|>\n"
            f"<|im_start|>user\n{request['prompt']}<|im_end|>\n<|im_start|>assistant\n"
        )
        seen = len(str(lm))
        grammar = json_node("answer", schema=schema, temperature=0.0, max_tokens=request["most"])
        for state in lm.stream() + grammar:
            text = str(state)
            heard(text[seen:])
            seen = len(text)

    return ask


PEERS = {
    "llama-server": (llama_server, "xllamacpp"),
    "llama-cpp-python": (llama_cpp_python, "llama-cpp-python"),
    "guidance": (guidance, "guidance"),
}


def simple(schema: Any) -> Any:
    """The schema without `pattern`, which llama.cpp's converters take only when it is anchored."""
    if isinstance(schema, dict):
        return {
            key: simple(value) for key, value in schema.items() if key not in ("pattern", "$schema")
        }
    return [simple(item) for item in schema] if isinstance(schema, list) else schema


def answer(ask: Callable[[Any, Heard], None], request: Any) -> dict[str, Any]:
    """Ask once; the text, and when it and its first visible character were there."""
    parts: list[str] = []
    first = 0.0

    def heard(text: str) -> None:
        nonlocal first
        parts.append(text)
        if not first and _FIRST.search("".join(parts)):
            first = time.perf_counter() - began

    began = time.perf_counter()
    ask(request, heard)
    seconds = time.perf_counter() - began
    return {"text": "".join(parts), "seconds": seconds, "first": first or seconds}


def main() -> None:
    """Load, warm up, then answer line by line until stdin ends."""
    name, model, threads, context, schema = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    load, package = PEERS[name]
    with open(schema, encoding="utf-8") as file:
        document = json.load(file)
    ask = load(model, int(threads), int(context), simple(document))
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("warm"):
            answer(ask, request)
            print(json.dumps({"version": version(package)}), file=out)
        else:
            print(json.dumps(answer(ask, request)), file=out)
    os._exit(0)


if __name__ == "__main__":
    main()
