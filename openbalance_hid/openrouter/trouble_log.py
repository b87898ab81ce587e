"""One line in the log when a trouble of an account starts or changes, and one when it ends. Not one for each poll."""

from __future__ import annotations

import logging

from openbalance_hid.account.snapshot import KEY_TROUBLES, Health, Snapshot

ENDPOINTS = ("activity", "today", "keys", "window", "models")


class TroubleLog:
    """What was logged last. For one thread. `log`: of the caller, so that its name is on the lines."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._health: dict[str, Health] = {}  # by topic
        self._rows: dict[str, int] = {}  # by endpoint: the rows left out

    def note(self, known: Snapshot, message: str | None, hint: str) -> None:
        """Log what has changed. `message` and `hint`: of the account as a whole."""
        name = known.account
        self._note_health(f"account {name}", known.health, message, hint)
        self._note_health(f"activity of account {name}", known.activity.health, known.activity.message)
        self._note_health(f"today's spend of account {name}", known.today.health, known.today.message)
        self._note_health(f"keys of account {name}", known.keys.health, known.keys.message)
        for endpoint in ENDPOINTS:
            self._note_rows(name, endpoint, getattr(known, endpoint).dropped_rows)

    def _note_health(self, topic: str, health: Health, message: str | None, hint: str = "") -> None:
        before = self._health.get(topic, Health.OK)
        if health is before or health is Health.PREPARING:
            return
        self._health[topic] = health
        if health is Health.OK:
            self._log.info("%s: answers again", topic)
        else:
            level = logging.ERROR if health in KEY_TROUBLES else logging.WARNING
            helps = f" – try: {hint}" if hint else ""
            self._log.log(level, "%s: %s: %s%s", topic, health.value.replace("_", " "), message or "no message", helps)

    def _note_rows(self, account: str, endpoint: str, count: int) -> None:
        if count != self._rows.get(endpoint, 0):
            self._rows[endpoint] = count
            level = logging.WARNING if count else logging.INFO
            self._log.log(level, "account %s: %s: %d rows that cannot be read are left out", account, endpoint, count)
