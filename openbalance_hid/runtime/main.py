"""The only place where everything is put together: rooms are built here, started in order, stopped in reverse."""

import logging
import os
import queue
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.app.effects import (
    Effect,
    LightTouchKey,
    OpenUrl,
    Paint,
    PaintCell,
    PaintScreen,
    Refresh,
    SendAlert,
    SetAccounts,
    SetBrightness,
    SetPollInterval,
    Store,
    WatchSessionLock,
)
from openbalance_hid.app.events import Event, OpenFailed, RefreshSkipped
from openbalance_hid.config.file_watch import ConfigWatch
from openbalance_hid.config.load import load_config
from openbalance_hid.config.paths import Paths
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.deck.kernel_events import KernelEvents
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.desktop.credentials import read_key
from openbalance_hid.desktop.keyring_backend import LockedKeyringError
from openbalance_hid.desktop.open_url import open_page, open_url
from openbalance_hid.desktop.resume import ResumeWatch
from openbalance_hid.history.keeper import open_history
from openbalance_hid.ipc.commands import ChangeCounter, Commands
from openbalance_hid.ipc.control_server import ControlServer
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.runtime.config_reload import ConfigReloader
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.event_loop import Stop, now, run_loop
from openbalance_hid.runtime.notifier import Notifier
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.runtime.pollers import ClientFactory, Pollers
from openbalance_hid.runtime.sd_notify import SystemdManager, when_all
from openbalance_hid.runtime.signal_wakeup import SignalWakeup
from openbalance_hid.secret import Secret

if TYPE_CHECKING:
    from openbalance_hid.runtime.virtual_decks import VirtualDecks
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

log = logging.getLogger(__name__)

DEFAULT_MODEL = "mk2"  # of a preview without a deck


class RunOptions(Struct, frozen=True):
    """What the command line asks for. `virtual`: models of virtual decks; `usb`: look for real ones."""

    paths: Paths
    usb: bool = True
    virtual: tuple[str, ...] = ()
    port: int | None = None
    open_browser: bool = True


def run(wishes: RunOptions, env: Mapping[str, str]) -> None:
    """The daemon, until SIGTERM, SIGINT or `stop`. Raises OpenBalanceError when it cannot begin."""
    config = load_config(wishes.paths.config_file)
    base_url = checked_base_url(env.get("OPENBALANCE_API_URL") or OPENROUTER_URL)

    locked: set[str] = set()  # accounts whose owner was asked to open the keyring and has not: once is enough

    def client_for(account: str) -> Client:
        try:
            key = read_key(account, env, wishes.paths, may_prompt=account not in locked)
        except LockedKeyringError:
            locked.add(account)
            raise
        locked.discard(account)
        return Client(key.secret, base_url)

    _Daemon(wishes, config, client_for).run()


def run_demo(wishes: RunOptions, scenario: str) -> None:
    """The daemon on a virtual deck, fed by a sample account on this machine; touches nothing of the user's."""
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

    with SampleAccount(scenario) as sample:
        config = Config(refresh_minutes=1)
        _Daemon(wishes, config, lambda _: Client(Secret(sample.key), sample.url), sample).run()


class _Daemon:
    """One run. The main thread owns house and painter; everything else talks to it through `_inbox`."""

    def __init__(
        self, wishes: RunOptions, config: Config, client_for: ClientFactory, sample: "SampleAccount | None" = None
    ) -> None:
        self._wishes = wishes
        self._config = config
        self._sample = sample
        self._inbox: queue.SimpleQueue[Event | ScheduledCall | Stop] = queue.SimpleQueue()
        self._painter = PictureCache()
        self._begun = now()
        intervals_s = {
            name: 60.0 * (config.refresh_minutes if sample is not None else account.refresh_minutes)
            for name, account in config.accounts.items()
        }
        self._history = open_history(wishes.paths.history_file, wishes.paths.private_dir)
        self._accounts = Pollers(intervals_s, client_for, self._inbox.put, self._history)
        self._house = Controller(
            config,
            {name: Snapshot(name, self._begun.utc, interval_s) for name, interval_s in intervals_s.items()},
            self._begun,
        )
        self._news = ChangeCounter()
        self._live = ConfigReloader(wishes.paths.config_file, config, self._inbox.put, now) if sample is None else None
        self._manager = SystemdManager(os.environ, os.getpid())
        self._virtual: VirtualDecks | None = None
        self._decks: list[DeckManager] = []
        self._desktop = Notifier(self._inbox.put, silent=sample is not None)

    def run(self) -> None:
        """Start in order, loop, stop in reverse."""
        with ExitStack() as running:
            self._handle_signals(running)
            answers = Commands(
                self._inbox.put,
                self._status,
                self._preview,
                self._accounts.refresh,
                self._stop,
                self._news,
                self._reload,
            )
            control = ControlServer(self._wishes.paths.socket_file, answers)
            running.callback(control.stop)
            running.callback(self._news.end)
            control.start()
            running.callback(self._history.stop)  # after the decks: they are to be dark, however long the disk takes
            self._history.start()
            looked = when_all(bool(self._wishes.virtual) + self._wishes.usb, self._say_ready)
            if self._wishes.virtual:
                self._start_virtual(running, looked)
            if self._wishes.usb:
                self._decks.append(
                    DeckManager(HidTransport(), self._inbox.put, changes=KernelEvents(), after_first_look=looked)
                )
            for decks in self._decks:
                running.callback(self._leave, decks)
                decks.start()
            running.callback(self._accounts.stop)
            self._accounts.start()
            if self._sample is None:
                wake = ResumeWatch(self._woken)
                running.callback(wake.stop)
                wake.start()
                running.callback(self._desktop.watch_lock, False)
                self._desktop.watch_lock(self._config.dim.on_lock)
            if self._live is not None:
                watch = ConfigWatch(self._wishes.paths.config_file, self._live.notice)
                running.callback(watch.stop)
                watch.start()
            log.info("running; configuration: %s", self._wishes.paths.config_file)
            run_loop(self._house, self._inbox, self._carry_out, now, self._news.notify, self._manager)
            log.info("stopping")
            self._manager.stopping()

    # --- effects, on the main thread ---

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Paint() | PaintCell() | PaintScreen() | LightTouchKey() | SetBrightness():
                for decks in self._decks:
                    decks.carry_out(effect, self._painter)
                if self._virtual is not None:
                    self._virtual.tell(effect)
            case Refresh(account):
                if not self._accounts.refresh(account):
                    self._inbox.put(RefreshSkipped(account))
            case SetAccounts(intervals_s):
                self._accounts.adopt(intervals_s)
            case WatchSessionLock(wanted):
                self._desktop.watch_lock(wanted)
            case Store():
                self._accounts.store(effect)
            case SetPollInterval(account, seconds):
                self._accounts.pace(account, seconds)
            case SendAlert():
                self._desktop.send(effect)
            case OpenUrl():
                self._open(effect)

    def _open(self, wanted: OpenUrl) -> None:
        if self._virtual is not None:
            self._virtual.note(f"opens {wanted.url}")
        if self._virtual is None or self._wishes.open_browser:
            open_url(wanted.url, lambda: self._inbox.put(OpenFailed(wanted.serial, wanted.spot)))

    def _woken(self) -> None:
        """On a thread of the wake's."""
        for decks in self._decks:
            decks.paint_again()
        self._inbox.put(lambda _house, _moment: self._accounts.poll_after_wakeup())

    def _status(self, house: Controller, moment: Moment) -> dict[str, Any]:
        counts = tuple(count for decks in self._decks for count in decks.counts())
        process = ProcessInfo(
            pid=os.getpid(),
            uptime_s=moment.mono_s - self._begun.mono_s,
            config_path=str(self._wishes.paths.config_file),
            config_loaded_at=self._live.loaded_at if self._live is not None else self._begun.utc,
            config_error=self._live.error if self._live is not None else None,
        )
        return status(house, counts, process, moment)

    def _preview(self, house: Controller, moment: Moment, model: str | None, theme: str | None) -> bytes:
        from openbalance_hid.runtime.deck_picture import deck_png, panel_of
        from openbalance_hid.simulator.device.models import model_named

        panel = next((panel for panel in house.decks.values() if model in (None, panel.shape.model)), None)
        wanted = model_named(model or (panel.shape.model if panel is not None else DEFAULT_MODEL))
        if panel is None:
            panel = panel_of(house.config, house.config.deck_for(""), wanted, moment)
        return deck_png(panel, house.tile_inputs, wanted, moment, theme, house.config.theme)

    def _leave(self, decks: DeckManager) -> None:
        decks.stop(cast(OnExit, self._house.config.on_exit))

    def _reload(self) -> str:
        return self._live.reload() if self._live is not None else "a demo has no file"

    # --- starting ---

    def _say_ready(self) -> None:
        """After what is in the queue by now: the first pictures of the decks that were there."""
        self._inbox.put(lambda _house, _moment: self._manager.ready())

    def _handle_signals(self, running: ExitStack) -> None:
        """A handler only queues: it runs between any two steps of the main thread. At the end none is to cut the end short."""
        live, wanted = self._live, {signal.SIGTERM: self._stop, signal.SIGINT: self._stop}
        if live is not None:
            wanted[signal.SIGHUP] = lambda *_: self._inbox.put(lambda _house, _moment: live.notice_soon())
        for number, handler in wanted.items():
            signal.signal(number, handler)
            running.callback(signal.signal, number, signal.SIG_IGN)
        nudge = SignalWakeup(lambda: self._inbox.put(lambda _house, _moment: None))
        running.callback(nudge.stop)
        nudge.start()

    def _stop(self, *_: object) -> None:
        self._inbox.put(Stop())

    def _start_virtual(self, running: ExitStack, looked: Callable[[], None]) -> None:
        from openbalance_hid.runtime.virtual_decks import VirtualDecks
        from openbalance_hid.simulator.device.models import OFFERED, model_named
        from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS
        from openbalance_hid.simulator.web.page_server import PageServer

        self._virtual = virtual = VirtualDecks(self._wishes.virtual)
        self._decks.append(DeckManager(virtual.transport, self._inbox.put, after_first_look=looked))
        sample = self._sample
        for number in range(len(self._wishes.virtual)):
            page = PageServer(
                virtual.decks[number],
                partial(virtual.texts, number),
                scenarios=SCENARIOS if sample is not None else (),
                scenario=(lambda: sample.scenario) if sample is not None else str,
                set_scenario=self._set_scenario if sample is not None else None,
                models=[(name, model_named(name).title) for name in OFFERED] if sample is not None else (),
                set_model=partial(virtual.change_model, number) if sample is not None else None,
                port=self._wishes.port if number == 0 or self._wishes.port == 0 else None,
            )
            running.callback(page.stop)
            url = page.start()
            virtual.pages[number] = page
            sys.stdout.write(f"Virtual deck: {url}\n")
            sys.stdout.flush()
            if self._wishes.open_browser:
                open_page(page.one_time_url())

    def _set_scenario(self, name: str) -> None:
        from openbalance_hid.runtime.virtual_decks import TROUBLES

        assert self._sample is not None  # noqa: S101 – only a demo's page can ask for this
        self._sample.set_scenario(name)

        def ask_again(house: Controller, _: Moment) -> None:
            for account in house.snapshots:
                if name in TROUBLES:
                    self._accounts.refresh(account, insist=True)
                else:
                    self._accounts.restart(account, forget=True)

        self._inbox.put(ask_again)
