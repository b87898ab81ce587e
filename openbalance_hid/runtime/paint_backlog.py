"""What is still to be drawn: newest first, and first of all on the deck that was used last.

A page that is turned on many decks is a thousand pictures. An input that comes meanwhile is not behind them: the loop draws one
after the other, only while no input waits. Of each place only the newest picture is drawn.
"""

from collections.abc import Iterable

from openbalance_hid.app.effects import Effect, LightTouchKey, Paint, PaintCell, PaintScreen

_Part = tuple[type[Effect], str, int]  # kind, serial number, key or cell


class PaintBacklog:
    """Effects that draw. Used by the main thread only. `nearest`: serial number of the deck that was used last."""

    def __init__(self) -> None:
        self.nearest = ""
        self._effects: dict[_Part, Effect] = {}

    def __len__(self) -> int:
        return len(self._effects)

    def take(self, effects: Iterable[Effect]) -> list[Effect]:
        """Keep those of the effects of one step that draw, and return the others."""
        others: list[Effect] = []
        near: dict[_Part, Effect] = {}
        far: dict[_Part, Effect] = {}
        for effect in effects:
            part = _part(effect)
            if part is None:
                others.append(effect)
            else:
                (near if part[1] == self.nearest else far)[part] = effect
        if near or far:
            newer = near | far
            self._effects = newer | {part: effect for part, effect in self._effects.items() if part not in newer}
        return others

    def next(self) -> Effect:
        """Remove and return the effect to run next. KeyError without one."""
        part = next(iter(self._effects), None)
        if part is None:
            raise KeyError("nothing is to be drawn")
        return self._effects.pop(part)


def _part(effect: Effect) -> _Part | None:
    match effect:
        case Paint(serial, number):
            return Paint, serial, number
        case PaintCell(serial, number):
            return PaintCell, serial, number
        case PaintScreen(serial):
            return PaintScreen, serial, 0
        case LightTouchKey(serial, number):
            return LightTouchKey, serial, number
    return None
