"""A teacher that answers as the shipped examples do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.teacher_examples import answer
from tests.support.teacher_server import TeacherServer, serving


@pytest.fixture
def server() -> Iterator[TeacherServer]:
    with serving(answer) as running:
        yield running
