"""The composition root: the parts of the daemon are built here, started in order, stopped in reverse."""

import json
import logging
import os
import queue
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from msgspec import Struct

from openbalance_hid.account.snapshot import Credits, Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.app.events import Event, RepaintRequested
from openbalance_hid.config.default_layout import DEFAULT_ORDER
from openbalance_hid.config.file_watch import ConfigWatch
from openbalance_hid.config.load import load_config
from openbalance_hid.config.paths import Paths
from openbalance_hid.config.schema import (
    DEFAULT_ACCOUNT,
    FIRST_PAGE,
    AccountConfig,
    AlertSink,
    Config,
    DeckConfig,
    FrozenMap,
    PageConfig,
    TileConfig,
)
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.deck.kernel_events import KernelEvents
from openbalance_hid.deck.products import claimed_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.desktop.credentials import read_key
from openbalance_hid.desktop.keyring_backend import LockedKeyringError
from openbalance_hid.desktop.open_url import open_page, open_url
from openbalance_hid.desktop.resume import ResumeWatch
from openbalance_hid.history.keeper import open_history
from openbalance_hid.history.records import AccountIdentity, StoredSample
from openbalance_hid.ipc.alert_commands import probe_sinks
from openbalance_hid.ipc.commands import ChangeCounter, Commands
from openbalance_hid.ipc.control_server import ControlServer
from openbalance_hid.ipc.daemon_lock import DaemonLock
from openbalance_hid.ipc.deck_commands import DeckHandover
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.openrouter.cadence import REJECTION_GAP_S
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.runtime.alert_sender import AlertSender
from openbalance_hid.runtime.config_reload import SETTLE_S, ConfigReloader
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.effect_runner import EffectRunner
from openbalance_hid.runtime.event_loop import Stop, now, run_loop
from openbalance_hid.runtime.key_switcher import KeySwitcher
from openbalance_hid.runtime.maintenance import Maintenance
from openbalance_hid.runtime.notifier import Notifier
from openbalance_hid.runtime.pollers import ClientFactory, Pollers
from openbalance_hid.runtime.sd_notify import SystemdManager, when_all
from openbalance_hid.runtime.signal_wakeup import SignalWakeup, hangup_ends
from openbalance_hid.secret import Secret

if TYPE_CHECKING:
    from openbalance_hid.runtime.virtual_decks import VirtualDecks
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

log = logging.getLogger(__name__)

DEFAULT_MODEL = "mk2"  # of a preview without a deck


class RunOptions(Struct, frozen=True):
    """Options of the command line. `virtual`: models of virtual decks; `usb`: use real decks."""

    paths: Paths
    usb: bool = True
    virtual: tuple[str, ...] = ()
    port: int | None = None
    open_browser: bool = True


def run(options: RunOptions, env: Mapping[str, str]) -> None:
    """Run the daemon until SIGTERM, SIGINT or `stop`. Raises OpenBalanceError when it cannot start."""
    config = load_config(options.paths.config_file)
    base_url = checked_base_url(env.get("OPENBALANCE_API_URL") or OPENROUTER_URL)

    locked: set[str] = set()  # accounts whose keyring stayed locked: the user is prompted once

    def client_for(account: str) -> Client:
        try:
            key = read_key(account, env, options.paths, may_prompt=account not in locked)
        except LockedKeyringError:
            locked.add(account)
            raise
        locked.discard(account)
        return Client(key.secret, base_url, ca_file=daemon.ca_file)

    daemon = _Daemon(options, config, client_for)
    daemon.run()


def run_demo(options: RunOptions, scenario: str) -> None:
    """Run the daemon on a virtual deck with a sample account on this machine. No file or key of the user is used."""
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

    with SampleAccount(scenario) as sample:
        config = demo_config(options.virtual, sample.alerts_url)
        _Daemon(options, config, lambda _: Client(Secret(sample.key), sample.url), sample).run()


def demo_config(models: tuple[str, ...], alerts_url: str) -> Config:
    """Return the configuration of a demo: on a deck with room also a tile that stops the sample key "ci"; a local sink."""
    from openbalance_hid.simulator.device.models import model_named

    keys = min((model.cols * model.rows for model in map(model_named, models)), default=0)
    switch = TileConfig("key-switch", options=FrozenMap({"key_name": "ci", "key_hash": None}))
    page = PageConfig(FIRST_PAGE, FrozenMap({keys - 1: switch} if keys > len(DEFAULT_ORDER) else {}))
    accounts = FrozenMap({DEFAULT_ACCOUNT: AccountConfig(refresh_minutes=1, allow_key_switch=True)})
    return Config(refresh_minutes=1, accounts=accounts, decks=(DeckConfig(pages=(page,)),), alerts=(AlertSink(alerts_url),))


class _HasThreads(Protocol):
    """A part of the daemon that starts its threads again if they have ended."""

    def revive(self) -> None: ...


class _Daemon:
    """One run. The main thread owns the controller; all other threads send it events through `_inbox`."""

    def __init__(
        self, options: RunOptions, config: Config, client_for: ClientFactory, sample: "SampleAccount | None" = None
    ) -> None:
        self._options = options
        self._config = config
        self._sample = sample
        self._inbox: queue.SimpleQueue[Event | ScheduledCall | Stop] = queue.SimpleQueue()
        self._started = now()
        intervals_s = {
            name: 60.0 * (config.refresh_minutes if sample is not None else account.refresh_minutes)
            for name, account in config.accounts.items()
        }
        self._history = open_history(options.paths.history_file, options.paths.private_dir)
        rejection_gap_s = REJECTION_GAP_S if sample is None else 0.0  # a sample account has no outages that look like a 401
        self._pollers = Pollers(intervals_s, client_for, self._inbox.put, self._history, rejection_gap_s)
        self._controller = Controller(
            config,
            {name: Snapshot(name, self._started.utc, interval_s) for name, interval_s in intervals_s.items()},
            self._started,
        )
        self._changes = ChangeCounter()
        self._reloader = ConfigReloader(options.paths.config_file, config, self._inbox.put, now) if sample is None else None
        self._watch = self._config_watch()
        self._manager = SystemdManager(os.environ, os.getpid())
        self._virtual: VirtualDecks | None = None
        self._decks: list[DeckManager] = []
        self._notifier = Notifier(self._inbox.put, silent=sample is not None)
        self._switcher = KeySwitcher(client_for, self._inbox.put)
        self._sender = AlertSender(self._inbox.put, lambda: self.ca_file)

    @property
    def ca_file(self) -> str | None:
        """The one of the configuration in force. Thread-safe."""
        return self._controller.config.ca_file

    def run(self) -> None:
        """Start in order, loop, stop in reverse."""
        with ExitStack() as running:
            threads: dict[str, _HasThreads] = {
                "signals": self._handle_signals(running),
                "the history": self._history,
                "the pollers": self._pollers,
                "notifications": self._notifier,
            }
            lock = DaemonLock(self._options.paths.lock_files, self._options.paths.socket_file)
            running.callback(lock.release)
            lock.take()
            commands = Commands(
                self._inbox.put,
                self._status,
                self._preview,
                self._pollers.refresh,
                self._stop,
                self._changes,
                self._reload,
                DeckHandover(self._decks),
                lambda claims: probe_sinks(claims, now().utc, self._sender.deliver, self._notifier.probe),
            )
            control = ControlServer(self._options.paths.socket_file, commands)
            running.callback(control.stop)
            running.callback(self._changes.end)
            control.start()
            running.callback(self._history.stop)  # after the decks: a slow disk must not keep them lit
            self._history.start()
            after_first_scan = when_all(bool(self._options.virtual) + self._options.usb, self._report_ready)
            if self._options.virtual:
                self._start_virtual(running, after_first_scan)
            if self._options.usb:
                self._decks.append(
                    DeckManager(
                        HidTransport(),
                        self._inbox.put,
                        changes=KernelEvents(),
                        after_first_scan=after_first_scan,
                        claimed=claimed_decks,
                        uses=self._config.uses,
                    )
                )
            for decks in self._decks:
                running.callback(self._close_decks, decks)
                decks.start()
                threads[f"decks {len(threads)}"] = decks
            running.callback(self._switcher.stop)
            running.callback(self._pollers.stop)
            for account in self._controller.snapshots:
                self._remember_sample(account)
            self._pollers.start()
            if self._sample is None:
                threads["resume"] = wake = ResumeWatch(self._on_resume)
                running.callback(wake.stop)
                wake.start()
                running.callback(self._notifier.watch_lock, False)
                self._notifier.watch_lock(self._config.dim.on_lock)
            log.info("running; configuration: %s", self._options.paths.config_file)
            effects = EffectRunner(
                self._decks,
                self._pollers,
                self._notifier,
                self._sender,
                self._switcher,
                self._inbox.put,
                self._open_page,
                self._set_text,
                self._note,
                self._turn_page_view,
            )
            maintenance = Maintenance(
                {"the lock": lock.renew, "the control socket": control.renew, "the configuration": self._check_config}
                | {f"the threads of {name}": part.revive for name, part in threads.items()}
            )
            run_loop(self._controller, self._inbox, effects.run, now, self._changes.notify, self._manager, maintenance.run)
            log.info("stopping")
            self._manager.stopping()

    # --- called by other parts of the program ---

    def _open_page(self, url: str, failed: Callable[[], None]) -> None:
        if self._virtual is not None:
            self._virtual.note(f"Opens {url}")
        if self._virtual is None or self._options.open_browser:
            open_url(url, failed)

    def _set_text(self, serial: str, part: int | str, text: str) -> None:
        if self._virtual is not None:
            self._virtual.set_text(serial, part, text)

    def _note(self, text: str) -> None:
        if self._virtual is not None:
            self._virtual.note(text)

    def _turn_page_view(self, serial: str, degrees: int) -> None:
        if self._virtual is not None:
            self._virtual.set_rotation(serial, degrees)

    def _on_resume(self) -> None:
        """Runs on the thread of the resume watch."""
        for decks in self._decks:
            decks.repaint_all()
        self._inbox.put(lambda _controller, _moment: self._pollers.poll_after_wakeup())

    def _status(self, controller: Controller, moment: Moment) -> dict[str, Any]:
        counts = tuple(count for decks in self._decks for count in decks.counts())
        process = ProcessInfo(
            pid=os.getpid(),
            uptime_s=moment.mono_s - self._started.mono_s,
            config_path=str(self._options.paths.config_file),
            config_loaded_at=self._reloader.loaded_at if self._reloader is not None else self._started.utc,
            config_error=self._reloader.error if self._reloader is not None else None,
            config_watch=self._watch.method if self._watch is not None else None,
        )
        return status(controller, counts, process, moment)

    def _preview(self, controller: Controller, moment: Moment, model: str | None, theme: str | None) -> bytes:
        from openbalance_hid.runtime.deck_picture import deck_png, new_deck
        from openbalance_hid.simulator.device.models import model_named

        deck = next((deck for deck in controller.decks.values() if model in (None, deck.shape.model)), None)
        wanted = model_named(model or (deck.shape.model if deck is not None else DEFAULT_MODEL))
        if deck is None:
            deck = new_deck(controller.config, controller.config.deck_for(""), wanted, moment)
        return deck_png(deck, controller.tile_inputs, wanted, moment, theme, controller.config.theme)

    def _close_decks(self, decks: DeckManager) -> None:
        decks.stop(cast(OnExit, self._controller.config.on_exit))

    def _reload(self) -> str:
        return self._reloader.reload() if self._reloader is not None else "a demo has no file"

    def _reload_soon(self, reloader: ConfigReloader) -> None:
        self._inbox.put(RepaintRequested())
        reloader.notice_soon()

    # --- starting ---

    def _config_watch(self) -> ConfigWatch | None:
        if self._reloader is None:
            return None
        reload_soon = partial(self._reloader.notice_soon, SETTLE_S)

        def check(_controller: Controller, _moment: Moment) -> None:
            self._check_config()

        return ConfigWatch(self._options.paths.config_file, reload_soon, lambda: self._inbox.put(check))

    def _check_config(self) -> None:
        if self._watch is not None:
            self._watch.check()

    def _report_ready(self) -> None:
        """Report to systemd after the events that are queued now: they draw the decks that were connected at the start."""

        def ready(controller: Controller, _moment: Moment) -> None:
            for note in controller.config.unused_entries(list(controller.decks)):
                log.warning("%s", note)
            self._manager.ready()

        self._inbox.put(ready)

    def _handle_signals(self, running: ExitStack) -> SignalWakeup:
        """Handle signals by queueing only. Ignore them once the daemon stops, so that a second one does not cut it short."""
        reloader, wanted = self._reloader, {signal.SIGTERM: self._stop, signal.SIGINT: self._stop}
        if reloader is not None and not hangup_ends():
            wanted[signal.SIGHUP] = lambda *_: self._inbox.put(lambda _controller, _moment: self._reload_soon(reloader))
        elif signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            wanted[signal.SIGHUP] = self._stop
        for number, handler in wanted.items():
            signal.signal(number, handler)
            running.callback(signal.signal, number, signal.SIG_IGN)
        watch, descriptors = self._watch, dict[int, Callable[[], object]]()
        if watch is not None:
            running.callback(watch.stop)
            watch.start()
            if watch.descriptor is not None:
                descriptors[watch.descriptor] = watch.on_event
        wakeup = SignalWakeup(lambda: self._inbox.put(lambda _controller, _moment: None), descriptors)
        running.callback(wakeup.stop)
        wakeup.start()
        return wakeup

    def _stop(self, *_: object) -> None:
        self._inbox.put(Stop())

    def _start_virtual(self, running: ExitStack, after_first_scan: Callable[[], None]) -> None:
        from openbalance_hid.runtime.virtual_decks import VirtualDecks
        from openbalance_hid.simulator.device.models import OFFERED, model_named
        from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS
        from openbalance_hid.simulator.web.page_server import PageServer

        self._virtual = virtual = VirtualDecks(self._options.virtual)
        if self._sample is not None:
            self._sample.on_alert = lambda alert: virtual.note(f"Alert sent: {json.loads(alert)['title']}")
        self._decks.append(
            DeckManager(virtual.transport, self._inbox.put, after_first_scan=after_first_scan, uses=self._config.uses)
        )
        sample = self._sample
        for number in range(len(self._options.virtual)):
            page = PageServer(
                virtual.decks[number],
                partial(virtual.texts, number),
                scenarios=SCENARIOS if sample is not None else (),
                scenario=(lambda: sample.scenario) if sample is not None else str,
                set_scenario=self._set_scenario if sample is not None else None,
                models=[(name, model_named(name).title) for name in OFFERED] if sample is not None else (),
                set_model=partial(virtual.change_model, number) if sample is not None else None,
                port=self._options.port if number == 0 or self._options.port == 0 else None,
            )
            running.callback(page.stop)
            url = page.start()
            virtual.pages[number] = page
            sys.stdout.write(f"Virtual deck: {url}\n")
            sys.stdout.flush()
            if self._options.open_browser:
                open_page(page.one_time_url())
        sys.stdout.write("Open this address in a browser. Ctrl-C stops the deck.\n")
        sys.stdout.flush()

    def _remember_sample(self, account: str) -> None:
        """Give a demo the two days of readings that a daemon would have by then. They are in memory only."""
        sample = self._sample
        if sample is not None:
            who = AccountIdentity(account, Secret(sample.key).fingerprint)
            readings = [StoredSample(at, Credits(bought, used)) for at, bought, used in sample.past_readings()]
            self._history.enqueue(lambda store: store.write_all(who, readings))

    def _set_scenario(self, name: str) -> None:
        from openbalance_hid.runtime.virtual_decks import TROUBLES

        assert self._sample is not None  # noqa: S101 – only the page of a demo sets scenarios
        self._sample.set_scenario(name)

        def poll_again(controller: Controller, _: Moment) -> None:
            for account in controller.snapshots:
                if name in TROUBLES:
                    self._pollers.refresh(account, insist=True)
                else:
                    self._pollers.restart(account, forget=True, prepare=self._remember_sample)

        self._inbox.put(poll_again)
