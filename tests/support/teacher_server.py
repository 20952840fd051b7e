"""A server on 127.0.0.1 that speaks both wire formats of teachers, and misbehaves where it is told to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """A proper response with this text."""

    text: str
    cut: bool = False


@dataclass(frozen=True)
class Status:
    """An error response."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = "not now"


@dataclass(frozen=True)
class HangUp:
    """The connection is closed; `after` bytes of a response that promises more were sent."""

    after: int = 0


@dataclass(frozen=True)
class Garbage:
    """A response of status 200 that is not what the format says."""

    body: str
    type: str = "application/json"


Act = Say | Status | HangUp | Garbage


@dataclass
class Request:
    """What was asked."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def turns(self) -> list[tuple[str, str]]:
        return [(m["role"], m["content"]) for m in self.body["messages"] if m["role"] != "system"]

    @property
    def prompt(self) -> str:
        match = re.match(r"<prompt>\n(.*)\n</prompt>", self.turns[0][1], re.DOTALL)
        assert match is not None
        return match[1]

    @property
    def brief(self) -> str:
        if "system" in self.body:
            return str(self.body["system"][0]["text"])
        return str(self.body["messages"][0]["content"])


class TeacherServer(ThreadingHTTPServer):
    """Answers by `answers`, after the acts that stand in `script` for a prompt are used up.

    Attributes:
        gate: called in every request, while it is under way.
    """

    daemon_threads = True

    def __init__(self, answers: Callable[[str], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.script: dict[str, list[Act]] = {}
        self.requests: list[Request] = []
        self.gate: Callable[[], None] = lambda: None
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def asked(self) -> list[str]:
        """The prompts of all requests so far."""
        return [request.prompt for request in self.requests]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error here."""


@contextmanager
def serving(answers: Callable[[str], str]) -> Iterator[TeacherServer]:
    server = TeacherServer(answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: TeacherServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        with self.server.lock:
            self.server.requests.append(request)
            acts = self.server.script.get(request.prompt, [])
            act = acts.pop(0) if acts else Say(self.server.answers(request.prompt))
        self.server.gate()
        self._perform(act)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""

    def _perform(self, act: Act) -> None:
        match act:
            case Say(text, cut):
                self._send(200, json.dumps(self._response(text, cut)))
            case Status(code, headers, text):
                error = {"type": "error", "error": {"type": "some_error", "message": text}}
                self._send(code, json.dumps(error), headers=headers)
            case Garbage(text, kind):
                self._send(200, text, kind)
            case HangUp(after):
                self.close_connection = True
                if after:
                    whole = json.dumps(self._response("x" * 500, False))
                    self._head(200, len(whole), "application/json", {})
                    self.wfile.write(whole.encode()[:after])

    def _send(
        self,
        code: int,
        body: str,
        kind: str = "application/json",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        data = body.encode()
        self._head(code, len(data), kind, headers or {})
        self.wfile.write(data)

    def _head(self, code: int, length: int, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(code, "said so")
        for name, value in {"content-type": kind, "content-length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _response(self, text: str, cut: bool) -> dict[str, Any]:
        if self.path == "/v1/messages":
            return {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "some",
                "content": [{"type": "text", "text": text}],
                "stop_reason": "max_tokens" if cut else "end_turn",
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 20,
                    "output_tokens": 50,
                    "cache_read_input_tokens": 80,
                    "cache_creation_input_tokens": 0,
                },
            }
        assert self.path == "/v1/chat/completions"
        message = {"role": "assistant", "content": text}
        reason = "length" if cut else "stop"
        return {
            "id": "chat_1",
            "object": "chat.completion",
            "created": 1,
            "model": "some",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 80},
            },
        }
