"""Downloads in processes of their own, forked from one that has everything imported.

    python -m tests.support.download_child

Takes a JSON object a line: `url` (the Hub's), `home` (its cache), `model` (of the catalogue), `options`,
`file_limit` (bytes that a file may have, as on a full disk), `cancel_at` (bytes). Answers with the
process' number, and when it has ended with what came of it, null where it was killed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Downloads:
    """The process that forks them, seen from a test; one download at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.download_child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    def start(self, **request: Any) -> int:
        """Begin a download; the number of its process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        number = self._answer()
        assert isinstance(number, int)
        return number

    def result(self) -> dict[str, Any] | None:
        """What came of it: `path` and `notes`, or `message` and `hint`; None: it was killed."""
        answer = self._answer()
        assert answer is None or isinstance(answer, dict)
        return answer

    def run(self, **request: Any) -> dict[str, Any] | None:
        """Both."""
        self.start(**request)
        return self.result()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def main() -> None:
    """Serve."""
    _import_everything()
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            answer = json.dumps(_download(json.loads(line)))
            os.write(writing, answer.encode())
            os._exit(0)
        os.close(writing)
        print(child, flush=True)
        with os.fdopen(reading) as answers:
            said = answers.read()
        os.waitpid(child, 0)
        print(said or "null", flush=True)


def _import_everything() -> None:
    """Much of it is imported at first use: try a download from where nobody listens."""
    import filelock

    assert filelock.FileLock
    model = {"name": "m", "repository": "nobody/nothing", "file": "m.gguf"}
    options = {"attempts": 1}
    _download({"url": "http://127.0.0.1:9", "home": "", "model": model, "options": options})


def _download(request: dict[str, Any]) -> dict[str, Any]:
    from huggingface_hub import constants

    from sinc_tui.errors import SincError
    from sinc_tui.models import transfer
    from sinc_tui.models.catalog import CatalogModel
    from sinc_tui.models.download import Download, DownloadOptions, Progress

    transfer._PATIENCE = 0.0  # all connections take part, however quick this machine is
    constants.ENDPOINT = request["url"]
    constants.HUGGINGFACE_CO_URL_TEMPLATE = (
        request["url"] + "/{repo_id}/resolve/{revision}/{filename}"
    )
    constants.HF_HUB_CACHE = request["home"]
    if (limit := request.get("file_limit")) is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def tell(progress: Progress) -> None:
        if progress.done >= request.get("cancel_at", 1 << 60):
            download.cancel()

    model = CatalogModel.model_validate(request["model"])
    download = Download(model, tell, DownloadOptions(**request["options"]))
    try:
        done = download.run()
    except SincError as error:
        return {"message": error.message, "hint": error.hint, "kind": type(error).__name__}
    return {"path": str(done.path), "notes": done.notes}


if __name__ == "__main__":
    main()
