"""Reload the configuration while the daemon runs: as a whole, or not at all if it has errors."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.events import ConfigRejected, ConfigReloaded
from openbalance_hid.config.load import load_config
from openbalance_hid.config.schema import Config
from openbalance_hid.errors import ConfigError

log = logging.getLogger(__name__)

SETTLE_S = 0.1  # an editor writes, renames and sets the mode: one change for the user


class ConfigReloader:
    """`loaded_at` and `error`: the result of the last reload. `put`: into the main queue. Every method is thread-safe."""

    def __init__(
        self, path: Path, config: Config, put: Callable[[ConfigReloaded | ConfigRejected], None], clock: Callable[[], Moment]
    ) -> None:
        self.loaded_at: datetime = clock().utc
        self.error: str | None = None
        self._path = path
        self._config = config
        self._put = put
        self._clock = clock
        self._reading = threading.Lock()
        self._noticing = threading.Semaphore()  # taken: a thread is about to read the file

    def reload(self) -> str:
        """Read the file and return the result as text. ConfigError lists every problem: then the old one stays in force."""
        with self._reading:
            try:
                config = load_config(self._path)
            except ConfigError as error:
                if error.message != self.error:
                    self.error = error.message
                    log.error("the configuration stays as it was:\n%s", error.message)
                    self._put(ConfigRejected())
                raise
            if self.error is None and config == self._config:
                return "unchanged"
            self.error, self.loaded_at, self._config = None, self._clock().utc, config
            if self._path.exists():
                log.info("the configuration was read again: %s", self._path)
            else:
                log.warning("the configuration file is gone, the defaults are used: %s", self._path)
            self._put(ConfigReloaded(config))
            return "in force"

    def notice_soon(self, delay_s: float = 0.0) -> None:
        """Call `notice` on a thread of its own, after the delay, unless one is about to. Used by one thread only."""
        if not self._noticing.acquire(blocking=False):
            return
        try:
            threading.Thread(target=self._notice_once, args=(delay_s,), name="reload", daemon=True).start()
        except RuntimeError:  # no resources for another thread
            self._noticing.release()
            raise

    def _notice_once(self, delay_s: float) -> None:
        time.sleep(delay_s)
        with self._reading:  # a later request may be for a newer file
            self._noticing.release()
        self.notice()

    def notice(self) -> None:
        """Reload without returning or raising the result."""
        try:
            self.reload()
        except ConfigError as error:
            log.debug("%d problems", len(error.message.splitlines()))
