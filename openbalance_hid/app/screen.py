"""What every deck shows: tiles evaluated to views, views to faces, and effects for the faces that have changed. Pure.

What is on a deck is decided in `deck_state`, what an input does in `input_handling`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from openbalance_hid.account.alert import AlertKind
from openbalance_hid.app.deck_state import DeckState, Pages
from openbalance_hid.app.effects import (
    Effect,
    LightTouchKey,
    LogTileError,
    Paint,
    PaintCell,
    PaintScreen,
    Repaint,
    SetBrightness,
    SetRotation,
)
from openbalance_hid.app.events import Cell, Place, SmallScreen
from openbalance_hid.app.tile_views import (
    KeyInteraction,
    KnownViews,
    TileInputs,
    face_of,
    number_view,
    screen_of,
    views_of,
    with_alert,
    with_refused_config,
)
from openbalance_hid.tiles.view import KeyFace, TileView, Tone

RETRY_S = 1.0  # after that, what could not be drawn is tried again
IDENTIFY_S = 10.0  # how long the numbers of the keys are shown


class DisplayState:
    """All decks. `faces`: what each place shows; `evaluations`: how often tiles were evaluated, at most once a step."""

    def __init__(self) -> None:
        self.faces: dict[Place, KeyFace] = {}
        self.evaluations = 0
        self.must_retry = False  # something could not be shown
        self.is_all_stale = False
        self._stale: set[str] = set()  # serial numbers of decks with tiles to evaluate
        self._views: dict[Place, TileView] = {}
        self._touch_keys: dict[tuple[str, int], LightTouchKey] = {}  # by serial and touch key
        self._brightness: dict[str, int] = {}
        self._rotations: dict[str, int] = {}  # by serial; without: 0
        self._dimmed: set[str] = set()  # serial numbers of decks that are not awake
        self._logged: set[tuple[str, str, int]] = set()  # errors of tiles
        self._to_log: list[Effect] = []
        self._identify_until_s = float("-inf")  # monotonic

    def places(self, serial: str) -> set[Place]:
        """Return every place of a deck that shows something."""
        return {place for place in (*self._views, *self.faces) if place[0] == serial}

    def forget(self, serial: str) -> None:
        """Remove a deck that was disconnected: it shows nothing any more."""
        for place in self.places(serial):
            self.faces.pop(place, None)
            self._views.pop(place, None)
        self._touch_keys = {place: light for place, light in self._touch_keys.items() if place[0] != serial}
        self._brightness.pop(serial, None)
        self._rotations.pop(serial, None)
        self._dimmed.discard(serial)
        self._stale.discard(serial)

    def retry(self, effect: Effect) -> None:
        """Note that an effect failed: `changes` returns it again."""
        match effect:
            case Paint(serial, key):
                self.faces.pop((serial, key), None)
            case PaintCell(serial, cell):
                self.faces.pop((serial, Cell(cell)), None)
            case PaintScreen(serial):
                self.faces.pop((serial, SmallScreen()), None)
            case LightTouchKey(serial, touch_key):
                self._touch_keys.pop((serial, touch_key), None)
            case SetBrightness(serial):
                self._brightness.pop(serial, None)
            case SetRotation(serial):
                self._rotations[serial] = -1
            case _:
                return
        self.must_retry = True

    def identify(self, now_s: float) -> None:
        """Show numbers in place of tiles for `IDENTIFY_S`."""
        self._identify_until_s = now_s + IDENTIFY_S

    def identifies(self, now_s: float) -> bool:
        """Return whether numbers are shown in place of tiles."""
        return now_s < self._identify_until_s

    def invalidate(self, serial: str) -> None:
        """Have the tiles of a deck evaluated at the end of the step."""
        self._stale.add(serial)

    def invalidate_all(self) -> None:
        """Have all tiles evaluated at the end of the step."""
        self.is_all_stale = True

    def deadlines(self, now_s: float) -> list[float]:
        """Return the monotonic seconds at which the numbers are removed, and at which a failed effect is tried again."""
        numbers = [self._identify_until_s] if self.identifies(now_s) else []
        return [*numbers, now_s + RETRY_S] if self.must_retry else numbers

    def pulsing(self, decks: Mapping[str, DeckState]) -> int:
        """Return how many tiles pulse on decks that are lit."""
        return sum(view.pulse and decks[serial].is_lit for (serial, _), view in self._views.items())

    def evaluate(
        self,
        decks: Mapping[str, DeckState],
        inputs: TileInputs,
        now: datetime,
        cycle: int,
        theme: str,
        config_refused: bool = False,
        unconfirmed: AlertKind | None = None,
    ) -> None:
        """Evaluate the tiles of the decks that were invalidated. `theme`: of the small screen.

        `unconfirmed`: an alert whose notification the user may not have seen.
        """
        stale = [serial for serial in decks if self.is_all_stale or serial in self._stale]
        self.evaluations += bool(stale) or self.is_all_stale
        self.is_all_stale, self._stale = False, set()
        known: KnownViews = {}
        for serial in stale:
            deck = decks[serial]
            tiles, deck_inputs = deck.tiles(), inputs.on(deck.pages.names, deck.pages.index)
            views = views_of(tiles, deck_inputs, now, cycle, known)
            if deck.shape.screen:
                views[SmallScreen()] = screen_of(tiles, deck_inputs, now, cycle, theme)
            for spot, (view, error) in views.items():
                self._views[serial, spot] = view
                if error is not None and (origin := (view.tile, *_origin(error))) not in self._logged:
                    self._logged.add(origin)
                    self._to_log.append(LogTileError(view.tile, error))
            corner = (serial, deck.shape.key_count - 1)  # on the last key only: the other tiles are still right
            if config_refused and deck.shape.key_count:
                self._views[corner] = with_refused_config(self._views[corner])
            elif unconfirmed is not None and deck.shape.key_count:
                self._views[corner] = with_alert(self._views[corner], unconfirmed)

    def changes(
        self, decks: Mapping[str, DeckState], interaction_of: Callable[[Place], KeyInteraction], now_s: float
    ) -> list[Effect]:
        """Return the effects that bring the decks up to date: brightness first."""
        effects, self._to_log, self.must_retry = self._to_log, [], False
        identify = self.identifies(now_s)
        for serial, deck in decks.items():
            effects += self._rotation_change(serial, deck)
            effects += self._light_changes(serial, deck)
        for place, view in self._views.items():
            face = face_of(number_view(place[1], view.theme) if identify else view, interaction_of(place))
            if self.faces.get(place) != face:
                self.faces[place] = face
                effects.append(_paint(place, face))
        return effects

    def _rotation_change(self, serial: str, deck: DeckState) -> list[Effect]:
        """A deck that is turned otherwise gets every picture anew."""
        if self._rotations.get(serial, 0) == deck.rotation:
            return []
        self._rotations[serial] = deck.rotation
        self.faces = {place: face for place, face in self.faces.items() if place[0] != serial}
        self._touch_keys = {place: light for place, light in self._touch_keys.items() if place[0] != serial}
        return [SetRotation(serial, deck.rotation)]

    def _light_changes(self, serial: str, deck: DeckState) -> list[Effect]:
        effects: list[Effect] = []
        if deck.light is not None and deck.light.is_awake:
            effects += [Repaint(serial)] if serial in self._dimmed else []
            self._dimmed.discard(serial)
        elif deck.light is not None:
            self._dimmed.add(serial)
        if deck.light is not None and self._brightness.get(serial) != deck.light.percent:
            self._brightness[serial] = deck.light.percent
            effects.append(SetBrightness(serial, deck.light.percent))
        for touch_key in range(deck.shape.touch_keys):
            light = _touch_key_light(serial, touch_key, deck.pages)
            if self._touch_keys.get((serial, touch_key)) != light:
                self._touch_keys[serial, touch_key] = light
                effects.append(light)
        return effects


def _origin(error: Exception) -> tuple[str, int]:
    """Return the type of an error and the line that raised it: the same for one bug, whatever its message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return type(error).__name__, trace.tb_lineno if trace is not None else 0


def _paint(place: Place, face: KeyFace) -> Effect:
    serial, spot = place
    match spot:
        case Cell(number):
            return PaintCell(serial, number, face)
        case SmallScreen():
            return PaintScreen(serial, face)
    return Paint(serial, spot, face)


def _touch_key_light(serial: str, touch_key: int, pages: Pages) -> LightTouchKey:
    """The left touch key turns one page back, the other one forward; both are dark when there is only one page."""
    if len(pages.pages) == 1:
        return LightTouchKey(serial, touch_key, None, "no other page")
    direction, steps = ("Forward", 1) if touch_key else ("Back", -1)
    return LightTouchKey(serial, touch_key, Tone.ACCENT, f"{direction} to page {pages.beside(steps)}")
