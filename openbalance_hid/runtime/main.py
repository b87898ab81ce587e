"""The composition root: the parts of the daemon are built here, started in order, stopped in reverse."""

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
from openbalance_hid.app.events import Event, RepaintRequested
from openbalance_hid.config.default_layout import intervals_of, published_accounts, sources_of
from openbalance_hid.config.file_watch import FileWatch, start_watches
from openbalance_hid.config.load import load_config
from openbalance_hid.config.paths import Paths
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.deck.kernel_events import KernelEvents
from openbalance_hid.deck.products import claimed_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.desktop.broker_logins import BrokerLogins
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.desktop.resume import ResumeWatch
from openbalance_hid.history.keeper import open_history
from openbalance_hid.ipc.alert_commands import probe_sinks
from openbalance_hid.ipc.commands import ChangeCounter, Commands
from openbalance_hid.ipc.control_server import ControlServer
from openbalance_hid.ipc.daemon_lock import DaemonLock
from openbalance_hid.ipc.deck_commands import DeckHandover
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.openrouter.cadence import REJECTION_GAP_S
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.restarting_thread import HasThreads
from openbalance_hid.runtime.alert_sender import AlertSender
from openbalance_hid.runtime.children import Children
from openbalance_hid.runtime.config_reload import SETTLE_S, ConfigReloader
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.deck_pages import DeckPages
from openbalance_hid.runtime.effect_runner import EffectRunner
from openbalance_hid.runtime.event_loop import Maintenance, now, run_loop
from openbalance_hid.runtime.inbox import Stop
from openbalance_hid.runtime.key_switcher import KeySwitcher
from openbalance_hid.runtime.keyed_clients import KeyedClients
from openbalance_hid.runtime.metrics_server import MetricsServer
from openbalance_hid.runtime.notifier import Notifier
from openbalance_hid.runtime.plugin_runner import PluginRunner, installed_function
from openbalance_hid.runtime.pollers import PICTURES_FIRST_S, ClientFactory, Pollers
from openbalance_hid.runtime.pollers import STOP_LIMIT_S as POLLERS_STOP_S
from openbalance_hid.runtime.publishers import Publishing
from openbalance_hid.runtime.sample_scenarios import SampleScenarios
from openbalance_hid.runtime.sd_notify import SystemdManager, when_all
from openbalance_hid.runtime.signal_wakeup import ENDING, SignalWakeup, hangup_ends
from openbalance_hid.runtime.stop_deadline import StopDeadline

if TYPE_CHECKING:
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

log = logging.getLogger(__name__)


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
    children = Children()
    clients = KeyedClients(env, options.paths, base_url, lambda: daemon.ca_file, children)
    daemon = Daemon(options, config, clients.client, children, forget_key=clients.forget, mask_keys=clients.mask)
    daemon.run()


class Daemon:
    """One run. The main thread owns the controller; all other threads send it events through `_inbox`."""

    def __init__(
        self,
        options: RunOptions,
        config: Config,
        client_for: ClientFactory,
        children: Children,
        sample: "SampleAccount | None" = None,
        forget_key: Callable[[str], None] = lambda _: None,
        mask_keys: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._options = options
        self._config = config
        self._inbox: queue.SimpleQueue[Event | ScheduledCall | Stop] = queue.SimpleQueue()
        self._started = now()
        intervals_s = intervals_of(config)
        self._history = open_history(options.paths.history_file, options.paths.private_dir)
        rejection_gap_s = REJECTION_GAP_S if sample is None else 0.0  # a sample account has no outages that look like a 401
        self._logins = BrokerLogins(os.environ, options.paths, children.keyring.read_entry)
        self._pollers = Pollers(
            intervals_s,
            client_for,
            self._inbox.put,
            self._history,
            rejection_gap_s,
            forget_key,
            sources_of(config),
            self._logins.read,
            PICTURES_FIRST_S,
        )
        self._publishing = Publishing(self._started.utc, self._logins.read, self._poll_soon)
        self._sample = SampleScenarios(sample, self._pollers, self._history, self._inbox.put) if sample is not None else None
        self._controller = Controller(
            config,
            {name: Snapshot(name, self._started.utc, interval_s) for name, interval_s in intervals_s.items()},
            self._started,
        )
        self._changes = ChangeCounter()
        self._reloader = ConfigReloader(options.paths.config_file, config, self._inbox.put, now) if sample is None else None
        self._watch = self._config_watch()
        self._manager = SystemdManager(os.environ, os.getpid())
        self._pages = DeckPages(options.virtual, options.port, options.open_browser)
        self._decks: list[DeckManager] = []
        self._notifier = Notifier(self._inbox.put, silent=sample is not None)
        self._switcher = KeySwitcher(client_for, self._inbox.put)
        self._plugins = PluginRunner(self._inbox.put, installed_function)
        self._programs = ProgramRunner(os.environ, mask_keys)
        self._children = children
        self._sender = AlertSender(self._inbox.put, self._programs, lambda: self.ca_file, new_session=children.http.session)
        self._metrics = MetricsServer(self._inbox.put, self._status)
        self._wake = ResumeWatch(self._on_resume)

    @property
    def ca_file(self) -> str | None:
        """The one of the configuration in force. Thread-safe."""
        return self._controller.config.ca_file

    def run(self) -> None:
        """Start in order, loop, stop in reverse."""
        deadline = StopDeadline()
        with ExitStack() as running:
            running.callback(deadline.report)
            commands = Commands(
                self._inbox.put,
                self._status,
                self._preview,
                self._refresh,
                self._stop,
                self._changes,
                self._reload,
                DeckHandover(self._decks),
                lambda claims: probe_sinks(claims, now().utc, self._sender.deliver, self._notifier.probe),
            )
            control = ControlServer(self._options.paths.socket_file, commands)
            threads: dict[str, HasThreads] = {
                "signals": self._handle_signals(running, control),
                "the history": self._history,
                "the pollers": self._pollers,
                "publishing": self._publishing,
                "notifications": self._notifier,
                "the programs": self._programs,
                "the pages": self._pages,
                "resume": self._wake,
            }
            lock = DaemonLock(self._options.paths.lock_files, self._options.paths.socket_file)
            running.callback(lock.release)
            lock.take()
            running.callback(lambda: control.stop(deadline.left_s()))
            running.callback(self._changes.end)
            control.start()
            running.callback(lambda: self._history.stop(deadline.left_s()))
            self._history.start()
            running.callback(lambda: self._plugins.stop(deadline.left_s()))
            running.callback(lambda: self._programs.close(deadline.left_s()))
            running.callback(self._switcher.stop)
            running.callback(self._metrics.stop)
            running.callback(lambda: self._pollers.stop(min(deadline.left_s(), POLLERS_STOP_S), self._children.close))
            running.callback(lambda: self._publishing.stop(deadline.left_s()))
            after_first_scan = when_all(bool(self._options.virtual) + self._options.usb, self._report_ready)
            if self._options.virtual:
                transport = self._pages.plug_in()
                self._decks.append(
                    DeckManager(transport, self._inbox.put, after_first_scan=after_first_scan, uses=self._config.uses)
                )
                self._pages.start(running, self._sample)
            if self._options.usb:
                self._decks.append(
                    DeckManager(
                        HidTransport(),
                        self._inbox.put,
                        changes=KernelEvents(),
                        after_first_scan=after_first_scan,
                        claimed=claimed_decks,
                        uses=self._config.uses,
                        on_wake=self._on_resume,
                    )
                )
            running.callback(lambda: self._wake.stop(deadline.left_s()))
            running.callback(lambda: self._notifier.stop(deadline.left_s()))
            for decks in self._decks:  # stopped first: nothing that hangs may keep them lit
                running.callback(self._close_decks, decks)
                decks.start()
                threads[f"decks {len(threads)}"] = decks
            if self._sample is not None:
                for account in self._controller.snapshots:
                    self._sample.remember(account)
            self._pollers.start()
            self._publishing.adopt(self._config.publish, published_accounts(self._config))
            if self._sample is None:
                self._notifier.watch_lock(self._config.dim.on_lock)
            self._metrics.serve(self._config.metrics, now().mono_s)
            log.info("running; configuration: %s", self._options.paths.config_file)
            effects = EffectRunner(
                self._decks,
                self._pollers,
                self._notifier,
                self._sender,
                self._switcher,
                self._plugins,
                self._publishing,
                self._programs,
                self._inbox.put,
                self._pages.open_url,
                self._pages.set_text,
                self._pages.note,
                self._pages.set_rotation,
                lambda address: self._metrics.serve(address, now().mono_s),
            )
            running.callback(deadline.begin, forced=True)
            maintenance = Maintenance(
                {
                    "the lock": lock.renew,
                    "the control socket": control.renew,
                    "the configuration": self._check_config,
                    "the screen lock": self._notifier.check_lock,
                    "the metrics": lambda: self._metrics.retry(now().mono_s),
                }
                | {f"the threads of {name}": part.revive for name, part in threads.items()}
            )
            run_loop(self._controller, self._inbox, effects.run, now, self._changes.notify, self._manager, maintenance.run)
            log.info("stopping")
            self._manager.stopping()

    # --- called by other parts of the program ---

    def _on_resume(self) -> None:
        """Runs on the thread of the resume watch, or of the scan for decks."""
        for decks in self._decks:
            decks.repaint_all()
        self._inbox.put(lambda _controller, _moment: self._pollers.poll_after_wakeup())
        self._inbox.put(lambda _controller, _moment: self._publishing.retry())

    def _poll_soon(self, account: str) -> None:
        """Poll an account if that is worth it, because a desk without its key requests it. Runs on the thread of a link."""
        self._inbox.put(lambda _controller, _moment: self._pollers.refresh(account))

    def _refresh(self, account: str) -> bool:
        self._logins.forget()
        self._publishing.retry(only_apart=True)  # with a login that may be new
        return self._pollers.refresh(account)

    def _status(self, controller: Controller, moment: Moment) -> dict[str, Any]:
        counts = tuple(count for decks in self._decks for count in decks.counts())
        process = ProcessInfo(
            pid=os.getpid(),
            uptime_s=moment.mono_s - self._started.mono_s,
            config_path=str(self._options.paths.config_file),
            config_loaded_at=self._reloader.loaded_at if self._reloader is not None else self._started.utc,
            config_error=self._reloader.error if self._reloader is not None else None,
            config_watch=self._watch.method if self._watch is not None else None,
            metrics=self._metrics.state,
            publish=self._publishing.status(),
        )
        return status(controller, counts, process, moment)

    def _preview(self, controller: Controller, moment: Moment, model: str | None, theme: str | None) -> bytes:
        from openbalance_hid.runtime.deck_picture import preview_png

        return preview_png(controller, moment, model, theme)

    def _close_decks(self, decks: DeckManager) -> None:
        decks.stop(cast(OnExit, self._controller.config.on_exit))

    def _reload(self) -> str:
        return self._reloader.reload() if self._reloader is not None else "unchanged; a demo reads it only when it starts"

    def _reload_soon(self, reloader: ConfigReloader) -> None:
        self._inbox.put(RepaintRequested())
        reloader.notice_soon()

    # --- starting ---

    def _config_watch(self) -> FileWatch | None:
        if self._reloader is None:
            return None
        check = partial(self._inbox.put, lambda _controller, _moment: self._check_config())
        return FileWatch(self._options.paths.config_file, partial(self._reloader.notice_soon, SETTLE_S), check)

    def _check_config(self) -> None:
        if self._watch is not None:
            self._watch.check()

    def _report_ready(self) -> None:
        """Report to systemd after the events that are queued now: they draw the decks that were connected at the start."""

        def ready(controller: Controller, _moment: Moment) -> None:
            for note in controller.config.unused_entries(list(controller.decks)):
                log.warning("%s", note)
            self._manager.ready()
            # What follows imports for longer than the first pictures take to draw.
            self._pollers.allow_requests()
            if self._sample is None:
                self._wake.start()

        self._inbox.put(ready)

    def _handle_signals(self, running: ExitStack, control: ControlServer) -> SignalWakeup:
        """Handle signals by queueing only. Ignore them once the daemon stops, so that a second one does not cut it short."""
        reloader = self._reloader
        # SIGCONT only has the main loop turn: a client has found no socket, or this was suspended.
        wanted: dict[int, Callable[..., object]] = {**dict.fromkeys(ENDING, self._stop), signal.SIGCONT: lambda *_: None}
        if reloader is not None and not hangup_ends():
            wanted[signal.SIGHUP] = lambda *_: self._inbox.put(lambda _controller, _moment: self._reload_soon(reloader))
        elif signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            wanted[signal.SIGHUP] = self._stop
        for number, handler in wanted.items():
            signal.signal(number, handler)
            running.callback(signal.signal, number, signal.SIG_IGN)
        renew = partial(self._inbox.put, lambda _controller, _moment: control.renew())
        # On Linux a client that finds no socket wakes the daemon (see `control_client`).
        socket = FileWatch(self._options.paths.socket_file, renew, renew) if sys.platform != "linux" else None
        descriptors = start_watches((self._watch, socket), running)
        wakeup = SignalWakeup(lambda: self._inbox.put(lambda _controller, _moment: None), descriptors)
        running.callback(wakeup.stop)
        wakeup.start()
        return wakeup

    def _stop(self, *_: object) -> None:
        self._inbox.put(Stop())
