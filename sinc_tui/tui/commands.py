"""The screen's actions in the command palette, taken from its bindings."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

from textual.actions import parse
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider


class SincCommands(Provider):
    """Every key of the main screen as a command; what a key does is written in one place only."""

    async def discover(self) -> Hits:
        """All commands, before anything is typed."""
        for binding in self._bindings():
            yield DiscoveryHit(binding.description, self._runner(binding), help=binding.tooltip)

    async def search(self, query: str) -> Hits:
        """The commands that match, in name or in what they do."""
        matcher = self.matcher(query)
        for binding in self._bindings():
            score = max(matcher.match(binding.description), matcher.match(binding.tooltip))
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(binding.description),
                    self._runner(binding),
                    help=binding.tooltip,
                )

    def _bindings(self) -> Iterator[Binding]:
        return (
            binding
            for binding in self.screen.BINDINGS
            if isinstance(binding, Binding) and self._can_do(binding)
        )

    def _can_do(self, binding: Binding) -> bool:
        """Whether the action makes sense now; one that another object owns always does."""
        action, parameters = parse(binding.action)[1:]
        return self.screen.check_action(action, parameters) is not False

    def _runner(self, binding: Binding) -> partial[Coroutine[Any, Any, None]]:
        return partial(self.screen.run_action, binding.action)
