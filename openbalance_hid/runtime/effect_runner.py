"""Run the effects that the controller returns. The only place that matches them, apart from the log of a failed one."""

import logging
from collections.abc import Callable, Sequence
from typing import cast

from openbalance_hid.app.effects import (
    AdoptDeckUse,
    AdoptPublish,
    Effect,
    EvaluatePlugin,
    LightTouchKey,
    LogTileError,
    LogWarning,
    OpenUrl,
    Paint,
    PaintCell,
    PaintScreen,
    Publish,
    Refresh,
    Repaint,
    RepaintNext,
    ReportAction,
    SendAlert,
    SendToSink,
    ServeMetrics,
    SetAccounts,
    SetBrightness,
    SetPollInterval,
    SetRotation,
    ShowMessage,
    StartProgram,
    StopProgram,
    Store,
    SwitchKey,
    WantFreeQuota,
    WatchSessionLock,
)
from openbalance_hid.app.events import Event, OpenFailed, ProgramEnded, ProgramPrinted, RefreshSkipped
from openbalance_hid.config.listen_address import ListenAddress
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.desktop.program_run import ProgramRequest
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.render.theme import DARK, Rgb
from openbalance_hid.runtime.alert_sender import AlertSender
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.key_switcher import KeySwitcher
from openbalance_hid.runtime.notifier import Notifier
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.runtime.plugin_runner import PluginRunner
from openbalance_hid.runtime.pollers import Pollers
from openbalance_hid.runtime.publishers import Publishing

log = logging.getLogger(__name__)

BLACK: Rgb = (0, 0, 0)
SetText = Callable[[str, int | str, str], None]
TurnPageView = Callable[[str, int], None]


class EffectRunner:
    """Runs effects on the main thread. `put`: into the main queue; `open_page`: opens an address, or calls the function.

    `report`: shows what a press did, on the pages of virtual decks.
    """

    def __init__(
        self,
        decks: Sequence[DeckManager],
        pollers: Pollers,
        notifier: Notifier,
        sender: AlertSender,
        switcher: KeySwitcher,
        plugins: PluginRunner,
        publishing: Publishing,
        programs: ProgramRunner,
        put: Callable[[Event], None],
        open_page: Callable[[str, Callable[[], None]], None],
        set_text: SetText = lambda *_: None,
        report: Callable[[str], None] = lambda _: None,
        turn_page_view: TurnPageView = lambda *_: None,
        serve_metrics: Callable[[ListenAddress | None], None] = lambda _: None,
    ) -> None:
        self._report = report
        self._decks = decks
        self._pollers = pollers
        self._notifier = notifier
        self._sender = sender
        self._switcher = switcher
        self._plugins = plugins
        self._publishing = publishing
        self._programs = programs
        self._put = put
        self._open_page = open_page
        self._set_text = set_text
        self._turn_page_view = turn_page_view
        self._serve_metrics = serve_metrics
        self._pictures = PictureCache()

    def run(self, effect: Effect) -> None:
        """Run one effect. Raises what its part of the program raises."""
        match effect:
            case Refresh(account):
                if not self._pollers.refresh(account):
                    self._put(RefreshSkipped(account))
            case SetAccounts(intervals_s, sources):
                self._pollers.adopt(intervals_s, sources)
            case Publish():
                self._publishing.offer(effect)
            case AdoptPublish(publish, accounts):
                self._publishing.adopt(publish, accounts)
            case SetPollInterval(account, seconds):
                self._pollers.pace(account, seconds)
            case WantFreeQuota(account, wanted):
                self._pollers.want_free_quota(account, wanted)
            case WatchSessionLock(wanted):
                self._notifier.watch_lock(wanted)
            case ServeMetrics(address):
                self._serve_metrics(address)
            case Store():
                self._pollers.store(effect)
            case SendAlert():
                self._notifier.send(effect)
            case ShowMessage():
                self._notifier.show_message(effect)
            case SendToSink():
                self._sender.send(effect)
            case SwitchKey():
                self._switcher.switch(effect)
            case EvaluatePlugin():
                self._plugins.evaluate(effect)
            case StartProgram(run):
                self._programs.start(run, program_request(effect, self._put))
            case StopProgram(run):
                self._programs.stop(run)
            case OpenUrl(url, serial, spot):
                self._open_page(url, lambda: self._put(OpenFailed(serial, spot)))
            case ReportAction(_, text):
                self._report(text)
            case LogTileError(tile, error):
                log.error("the tile %s failed", tile, exc_info=error)
            case LogWarning(text):
                log.warning("%s", text)
            case AdoptDeckUse(config):
                for decks in self._decks:
                    decks.adopt_use(config.uses, cast(OnExit, config.on_exit))
            case SetRotation(serial, degrees):
                for decks in self._decks:
                    decks.set_rotation(serial, degrees)
                self._turn_page_view(serial, degrees)
            case _:
                for decks in self._decks:
                    run_display_effect(effect, decks, self._pictures, self._set_text)


def program_request(effect: StartProgram, put: Callable[[Event], None]) -> ProgramRequest:
    """Return the run of a program. Its lines and its end are `put` as events, on the thread of the programs."""
    run = effect.run
    return ProgramRequest(
        effect.program,
        lambda end: put(ProgramEnded(run, end)),
        effect.limit_s,
        effect.prints,
        lambda line: put(ProgramPrinted(run, line)),
    )


def run_display_effect(effect: Effect, decks: DeckManager, pictures: PictureCache, set_text: SetText = lambda *_: None) -> bool:
    """Show an effect on the deck that it names, if `decks` has it. Return False for effects of another kind.

    `set_text`: receives the serial number, the part of the deck and the text of what it shows, for pages of virtual decks.
    """
    part: int | str
    match effect:
        case Paint(serial, key, face):
            decks.show(serial, key, face, pictures)
            part, text = key, face.view.text
        case PaintCell(serial, cell, face):
            decks.show_cell(serial, cell, face, pictures)
            part, text = f"cell {cell}", face.view.text
        case PaintScreen(serial, face):
            decks.show_screen(serial, face, pictures)
            part, text = "screen", face.view.text
        case LightTouchKey(serial, touch_key, tone, text):
            decks.light_touch_key(serial, touch_key, DARK.colour(tone) if tone is not None else BLACK)
            part = f"touch key {touch_key}"
        case SetBrightness(serial, percent):
            decks.set_brightness(serial, percent)
            return True
        case Repaint(serial):
            decks.repaint(serial)
            return True
        case RepaintNext(serial):
            decks.repaint_next(serial)
            return True
        case _:
            return False
    set_text(serial, part, text)
    return True
