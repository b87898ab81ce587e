"""What every deck shows: views asked from the tiles, faces made of them, and only what has changed since. Pure.

Nothing here decides what is on a deck (`panel`) or what a finger means (`fingers`, `house`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.effects import Effect, LightTouchKey, LogTileError, Paint, PaintCell, PaintScreen, SetBrightness
from openbalance_hid.app.pages import Pages
from openbalance_hid.app.places import Cell, Place, SmallScreen, Spot
from openbalance_hid.app.tile_views import (
    KeyInteraction,
    TileInputs,
    face_of,
    number_view,
    screen_of,
    views_of,
    with_refused_config,
)
from openbalance_hid.config.schema import TileConfig
from openbalance_hid.tiles.view import KeyFace, TileView, Tone

UNDONE_S = 1.0  # what could not be drawn is tried again after that
IDENTIFY_S = 10.0  # how long the numbers of the keys are shown


class DisplayState:
    """All decks. `faces`: what stands on each place; `tiles`: by serial, what is to be seen there."""

    def __init__(self) -> None:
        self.tiles: dict[str, dict[Spot, TileConfig]] = {}
        self.faces: dict[Place, KeyFace] = {}
        self._views: dict[Place, TileView] = {}
        self._glows: dict[tuple[str, int], LightTouchKey] = {}  # by serial and touch key
        self._brightness: dict[str, int] = {}
        self._broken: set[tuple[str, str, int]] = set()  # what was complained about already
        self._complaints: list[Effect] = []
        self._identify_until_s = float("-inf")  # monotonic
        self.owes = False  # what was to be shown could not be

    def places(self, serial: str) -> set[Place]:
        """Everything on a deck that shows something."""
        return {place for place in (*self._views, *self.faces) if place[0] == serial}

    def forget(self, serial: str) -> None:
        """The deck has gone: what it showed is not there any more."""
        for place in self.places(serial):
            self.faces.pop(place, None)
            self._views.pop(place, None)
        self._glows = {place: glow for place, glow in self._glows.items() if place[0] != serial}
        self.tiles.pop(serial, None)
        self._brightness.pop(serial, None)

    def undone(self, effect: Effect) -> None:
        """It could not be carried out: `changes` will want it again."""
        match effect:
            case Paint(serial, key):
                self.faces.pop((serial, key), None)
            case PaintCell(serial, cell):
                self.faces.pop((serial, Cell(cell)), None)
            case PaintScreen(serial):
                self.faces.pop((serial, SmallScreen()), None)
            case LightTouchKey(serial, touch_key):
                self._glows.pop((serial, touch_key), None)
            case SetBrightness(serial):
                self._brightness.pop(serial, None)
            case _:
                return
        self.owes = True

    def identify(self, now_s: float) -> None:
        """Numbers in place of tiles from now on, for a while."""
        self._identify_until_s = now_s + IDENTIFY_S

    def identifies(self, now_s: float) -> bool:
        """Whether numbers stand in place of tiles."""
        return now_s < self._identify_until_s

    def deadlines(self, now_s: float) -> list[float]:
        """Monotonic seconds at which the numbers go away, and at which to try again what could not be shown."""
        numbers = [self._identify_until_s] if self.identifies(now_s) else []
        return [*numbers, now_s + UNDONE_S] if self.owes else numbers

    def pulses(self, panels: Mapping[str, DeckState]) -> bool:
        """Whether anything comes and goes that can be seen."""
        return any(view.pulse and panels[serial].is_lit for (serial, _), view in self._views.items())

    def read(
        self,
        panels: Mapping[str, DeckState],
        known: TileInputs,
        now: datetime,
        turn: int,
        theme: str,
        config_refused: bool = False,
    ) -> None:
        """Ask every tile of these decks again. `theme`: of the small screen."""
        for serial, panel in panels.items():
            tiles = self.tiles[serial]
            here = known.on(panel.pages.names, panel.pages.index)
            said = views_of(tiles, here, now, turn)
            if panel.shape.screen:
                said[SmallScreen()] = screen_of(tiles, here, now, turn, theme)
            for spot, (view, error) in said.items():
                self._views[serial, spot] = view
                if error is not None and (mark := (view.tile, *_origin(error))) not in self._broken:
                    self._broken.add(mark)
                    self._complaints.append(LogTileError(view.tile, error))
            if config_refused and panel.shape.key_count:  # in the corner: the rest of the deck is as good as it was
                corner = (serial, panel.shape.key_count - 1)
                self._views[corner] = with_refused_config(self._views[corner])

    def changes(
        self, panels: Mapping[str, DeckState], touch_of: Callable[[Place], KeyInteraction], now_s: float
    ) -> list[Effect]:
        """What is to be done so that the decks show it: light first."""
        effects, self._complaints, self.owes = self._complaints, [], False
        identify = self.identifies(now_s)
        for serial, panel in panels.items():
            effects += self._relight(serial, panel)
        for place, view in self._views.items():
            face = face_of(number_view(place[1], view.theme) if identify else view, touch_of(place))
            if self.faces.get(place) != face:
                self.faces[place] = face
                effects.append(_paint(place, face))
        return effects

    def _relight(self, serial: str, panel: DeckState) -> list[Effect]:
        effects: list[Effect] = []
        if panel.light is not None and self._brightness.get(serial) != panel.light.percent:
            self._brightness[serial] = panel.light.percent
            effects.append(SetBrightness(serial, panel.light.percent))
        for touch_key in range(panel.shape.touch_keys):
            glow = _glow(serial, touch_key, panel.pages)
            if self._glows.get((serial, touch_key)) != glow:
                self._glows[serial, touch_key] = glow
                effects.append(glow)
        return effects


def _origin(error: Exception) -> tuple[str, int]:
    """What it is and the line that raised it: the same for one mistake, whatever numbers are in its message."""
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


def _glow(serial: str, touch_key: int, pages: Pages) -> LightTouchKey:
    """The left touch key leads back, the other one forward; both are dark while there is one page only."""
    if len(pages.pages) == 1:
        return LightTouchKey(serial, touch_key, None, "no other page")
    way, steps = ("Forward", 1) if touch_key else ("Back", -1)
    return LightTouchKey(serial, touch_key, Tone.ACCENT, f"{way} to page {pages.beside(steps)}")
