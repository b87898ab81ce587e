"""The concerns of the house: followed at each snapshot, told the desktop once, kept by the history. Pure.

What a concern is, is `account.concern`'s. Spikes, which have a tile that acknowledges them, are `alarms`'.
"""

from collections.abc import Mapping

from openbalance_hid.account.concern import AlertKind, grades, is_worse
from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.effects import RememberConcern, Warn
from openbalance_hid.app.events import Warned
from openbalance_hid.app.limits import low_limit_usd
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, Config
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import WebPage
from openbalance_hid.tiles.states import STATES

_Key = tuple[str, AlertKind]


class AccountAlerts:
    """What the desktop knows of, by account and kind."""

    def __init__(self) -> None:
        self._told: dict[_Key, str] = {}
        self._telling: dict[_Key, str] = {}
        self._remembered: dict[_Key, str] = {}  # as the history knows them

    def follow(self, snapshot: Snapshot, config: Config, hides: bool) -> list[Warn]:
        """What the desktop is to be told; each grade is asked for once. `hides`: amounts are masked now."""
        account = config.accounts.get(snapshot.account)
        low_usd = low_limit_usd(config, snapshot.account, to_be_told=True)
        wanted = []
        for kind, grade in grades(snapshot, low_usd).items():
            key = (snapshot.account, kind)
            if grade is None:
                self._told.pop(key, None)
                self._telling.pop(key, None)
            elif (
                account is not None
                and account.notify
                and grade != self._telling.get(key)
                and is_worse(kind, grade, self._told.get(key))
            ):
                self._telling[key] = grade
                wanted.append(_warning(kind, grade, snapshot, "" if hides or low_usd is None else words.money(low_usd)))
        return wanted

    def told(self, event: Warned) -> None:
        """The desktop was told, or could not be: then it is tried again at the next snapshot."""
        key = (event.account, event.kind)
        if self._telling.get(key) == event.grade:
            del self._telling[key]
            if event.delivered:
                self._told[key] = event.grade

    def recall(self, account: str, told: Mapping[str, str]) -> None:
        """Take up what the history knows from before this start."""
        known = {(account, kind): told[kind.value] for kind in AlertKind if kind.value in told}
        self._told |= known
        self._remembered |= known

    def forget(self, account: str) -> None:
        """Another account has this name now."""
        for each in (self._told, self._telling, self._remembered):
            for kind in AlertKind:
                each.pop((account, kind), None)

    def to_remember(self, snapshots: Mapping[str, Snapshot]) -> list[RememberConcern]:
        """What has been told, or is over, since this was asked last."""
        changed = [key for key in (*self._told, *self._remembered) if self._told.get(key) != self._remembered.get(key)]
        self._remembered = dict(self._told)
        return [
            RememberConcern(account, snapshots[account].started_at, kind, self._told.get((account, kind)))
            for account, kind in dict.fromkeys(changed)
            if account in snapshots
        ]


def _warning(kind: AlertKind, grade: str, snapshot: Snapshot, low: str) -> Warn:
    """`low`: what the owner calls low; empty where amounts are masked."""
    name = "" if snapshot.account == DEFAULT_ACCOUNT else f" ({snapshot.account})"
    if kind is AlertKind.BALANCE:
        left = snapshot.credits.value.balance_usd if snapshot.credits.value is not None else None
        text = f"{words.money(left)} left; {low} is what you call low" if low else "Less is left than you want to have"
        return Warn(snapshot.account, kind, grade, f"OpenRouter: balance {grade}{name}", text, WebPage.CREDITS, grade != "low")
    health = Health(grade)
    hint = "" if snapshot.account == DEFAULT_ACCOUNT else f" --account {snapshot.account}"
    said = f"{single_line(snapshot.message).rstrip('.')}. " if snapshot.message else ""
    text = f"{said}To mend it: openbalance-hid setup{hint}"
    page = WebPage.MANAGEMENT_KEYS
    return Warn(snapshot.account, kind, grade, f"OpenRouter: {STATES[health].words}{name}", text, page)
