"""What the probes have seen, as frozen values. Nothing here says whether it is good."""

from __future__ import annotations

from dataclasses import dataclass

from openbalance_hid.errors import OpenBalanceError


@dataclass(frozen=True, slots=True)
class Package:
    """A package that this program asks for. `found` None: it is not there; `fits`: its version is one of those asked for."""

    name: str
    wanted: str
    found: str | None
    fits: bool


@dataclass(frozen=True, slots=True)
class Session:
    """Where the person is. `kind`: as XDG_SESSION_TYPE, None unknown; `seat`: None without one; `remote`: through ssh."""

    kind: str | None
    seat: str | None
    remote: bool
    desktop: str | None = None

    @property
    def at_seat(self) -> bool:
        """Whether rules for the person at the seat are for this one. Taken for true where nothing says otherwise."""
        return not self.remote and (self.seat is not None or self.kind is None)


@dataclass(frozen=True, slots=True)
class Node:
    """A deck that hidapi lists. `ours`: the running daemon has it; `error`: why it cannot be opened."""

    path: str
    title: str
    product: str  # "0fd9:0080"
    serial: str
    ours: bool = False
    error: OpenBalanceError | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A deck that USB lists and hidapi does not. `known`: a product that this version drives."""

    product: str
    title: str
    known: bool
    has_node: bool
    owners: tuple[str, ...] = ()  # "streamdeck-ui (process 12)"


@dataclass(frozen=True, slots=True)
class Holder:
    """A program beside ours that has a deck open."""

    path: str
    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class UdevRules:
    """`file`: ours, None where there is none; `same`: as this version prints it. `uncovered`: products that no rule names."""

    file: str | None
    same: bool
    uncovered: tuple[str, ...]
    products: int
    seen_uncovered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opener:
    """Ways to open a page. `bus_error`: why there is no session bus; `portal`: running, startable, absent."""

    bus_error: str | None
    portal: str | None
    commands: tuple[str, ...]
    display: bool  # something to show a browser on


@dataclass(frozen=True, slots=True)
class Notifier:
    """Who shows notifications. `name` None: nobody, and `error` says why."""

    name: str | None
    buttons: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class KeyKind:
    """What OpenRouter says of one account's key. `management` None: it does not say; `error`: it said no, or nothing."""

    account: str
    last_four: str
    management: bool | None = None
    error: OpenBalanceError | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """A place of ours. `trouble`: why it cannot be used; `exists`: it has been made already."""

    name: str
    path: str
    exists: bool
    trouble: OpenBalanceError | None = None


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """The service of this user, or of the system. `error`: its manager does not answer.

    `gone`: the program that its unit starts, if it is not there; `outdated`: the unit is another version's.
    """

    installed: bool = False
    enabled: bool = False
    active: bool = False
    words: str = ""
    file: str | None = None
    gone: str | None = None
    outdated: bool = False
    system_active: bool = False
    daemon_runs: bool = False
    error: OpenBalanceError | None = None
