"""The screen's actions in the command palette, taken from its bindings."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from textual.actions import parse
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.worker import Worker


class Palette(CommandPalette):
    """Textual's, without what ends the app: a page key that comes before the list is laid out, and
    a search that still runs while the palette goes."""

    def run_worker(self, *arguments: Any, **options: Any) -> Worker[Any]:
        """Start the search."""
        return super().run_worker(*arguments, **options | {"exit_on_error": False})

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, if it is still there."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)


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
