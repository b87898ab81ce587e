"""Checks of hidapi, of the connected decks, and of other programs that have one open."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openbalance_hid.deck import usb_sysfs
from openbalance_hid.deck.hid_module import load_hidapi
from openbalance_hid.deck.products import IN_USE_LIBUSB, open_error, product_ids
from openbalance_hid.errors import DeckBusyError, DeckError, DeckRefusedError, OpenBalanceError
from openbalance_hid.hints import DOCTOR, hint
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.session_checks import LoginSession, login_session
from openbalance_hid.service.doctor.udev_checks import UdevFacts, product_name, udev_facts
from openbalance_hid.service.subprocesses import run_program

APPLY_RULES = hint("the udev rule was not applied to the deck")
# The transport's hint for a refusal on macOS leads to the doctor; the doctor's own hint opens the system setting.
INPUT_MONITORING = hint("macOS does not permit to open the deck", "doctor")
_UNAVAILABLE = DeckError.exit_code
PS_LIMIT_S = 4.0
# The app's own process, not the helpers inside it: "/Applications/Elgato Stream Deck.app/Contents/MacOS/Stream Deck".
_DECK_APP = re.compile(r"^(?:/[^/]+)*?/((?:Elgato )?Stream Deck|Companion(?: Satellite)?)\.app/Contents/MacOS/[^/]+$")


@dataclass(frozen=True, slots=True)
class ListedDeck:
    """A deck that hidapi lists. `in_use`: the running daemon has it open; `error`: why it cannot be opened."""

    path: str
    title: str
    product: str  # "0fd9:0080"
    serial: str
    in_use: bool = False
    error: OpenBalanceError | None = None


@dataclass(frozen=True, slots=True)
class UnlistedDeck:
    """A deck that USB lists and hidapi does not. `supported`: by this version; `holders`: programs that have it open."""

    product: str
    title: str
    supported: bool
    holders: tuple[str, ...] = ()  # "streamdeck-ui (process 12)"
    uses_libusb: bool = False


@dataclass(frozen=True, slots=True)
class OtherProgram:
    """Another program that has a deck open."""

    path: str
    pid: int
    name: str


def check_hidapi(_: DoctorContext) -> list[Check]:
    """Check that the back end can be loaded."""
    module = load_hidapi()
    version, name = getattr(module, "__version__", "unknown version"), getattr(module, "__name__", "?")
    return [ok("hidapi", f"{version}, back end {name}")]


def check_decks(context: DoctorContext) -> list[Check]:
    """Check each deck by opening it, unless the running daemon has it open; and the decks that only USB lists."""
    in_use = _daemon_paths(context)
    listed = [
        ListedDeck(
            found.path,
            found.title,
            f"{found.vendor_id:04x}:{found.product_id:04x}",
            found.serial,
            found.path in in_use,
            None if found.path in in_use else open_error(found),
        )
        for found in context.decks()
    ]
    rules = udev_facts(context) if context.platform == "linux" else None
    return assess_decks(listed, _unlisted_decks(context), login_session(context), rules)


def assess_decks(
    listed: Sequence[ListedDeck], unlisted: Sequence[UnlistedDeck], session: LoginSession, rules: UdevFacts | None
) -> list[Check]:
    """Return one check for each deck, or one when no deck is plugged in."""
    checks = [_assess_listed(deck, session, rules) for deck in listed] + [_assess_unlisted(deck) for deck in unlisted]
    return checks or [warning("decks", "no Stream Deck is plugged in", hint("no deck is connected", "doctor"))]


def check_owners(context: DoctorContext) -> list[Check]:
    """Check which programs have a deck open, beside this process and the running daemon."""
    if context.platform == "darwin":
        listed = run_program(["ps", "-axo", "pid=,comm="], PS_LIMIT_S)  # comm: the whole path of the program
        return assess_apps(deck_apps(listed.out)) if listed.ok else []
    if context.platform != "linux":
        return []
    try:
        paths = [found.path for found in context.decks()]
    except DeckError:  # `check_decks` reports it
        return []
    own_pids = (os.getpid(), _daemon_pid(context))
    others = [
        OtherProgram(path, holder.pid, holder.name)
        for path, holders in sorted(usb_sysfs.holders_of(paths, context.proc).items())
        for holder in holders
        if holder.pid not in own_pids
    ]
    return assess_owners(others, len(paths))


def deck_apps(processes: str) -> list[OtherProgram]:
    """Return the running apps that open decks. `processes`: a line with the id and the path of the program for each process."""
    found: dict[str, OtherProgram] = {}
    for line in processes.splitlines():
        pid, _, program = line.strip().partition(" ")
        app = _DECK_APP.search(program.strip())
        if app is not None and pid.isdecimal():
            found.setdefault(app[1], OtherProgram(program.strip(), int(pid), app[1]))
    return list(found.values())


def assess_apps(apps: Sequence[OtherProgram]) -> list[Check]:
    """Return a warning for each app that opens decks: on macOS the system does not report which program has a deck open."""
    words = (
        "is running (process {}), also without a window, and keeps every deck for itself; to keep it from starting: "
        "System Settings > General > Login Items"
    )
    checks = [
        warning(
            "owners",
            f"{app.name} {words.format(app.pid)}",
            hint("Elgato's app uses the deck", "doctor", app=app.name),
            app.name,
        )
        for app in apps
    ]
    return checks or [ok("owners", "no app that opens decks is running")]


def assess_owners(others: Sequence[OtherProgram], decks: int) -> list[Check]:
    """Return a warning for each other program that has a deck open. `decks`: how many are plugged in."""
    if not others:
        return [ok("owners", "no other program has a deck open" if decks else "no deck is plugged in")]
    return [
        warning(
            "owners",
            f"{each.name} (process {each.pid}) has the deck open too",
            hint("another program uses the deck", "doctor", pid=each.pid),
            each.path,
        )
        for each in others
    ]


def _assess_listed(deck: ListedDeck, session: LoginSession, rules: UdevFacts | None) -> Check:
    name = f"{deck.title} ({deck.product}), serial {deck.serial or 'unknown'}"
    if deck.in_use:
        return ok("decks", f"{name}: in use by the running daemon", deck.path)
    if deck.error is None:
        return ok("decks", f"{name}: can be opened", deck.path)
    command = "" if isinstance(deck.error, DeckBusyError) else deck.error.hint  # `check_owners` names the other program
    command = INPUT_MONITORING if command == DOCTOR else command
    if command and isinstance(deck.error, DeckRefusedError) and rules is not None:
        is_covered = rules.current or (rules.file is not None and deck.product not in rules.connected_uncovered)
        command = f"{command} --headless" if not session.at_seat else APPLY_RULES if is_covered else command
    return failure("decks", f"{name}: {deck.error.message}", command, deck.error.exit_code, deck.path)


def _assess_unlisted(deck: UnlistedDeck) -> Check:
    name = f"{deck.title} ({deck.product})"
    if not deck.supported:
        return warning("decks", f"{name}: not supported by this version", hint("the deck is not supported yet"), deck.product)
    if deck.holders:
        holders = ", ".join(deck.holders)
        words = f"{name}: detached from the kernel by {holders}; quit that program, then plug the deck in again"
    elif deck.uses_libusb:
        words = f"{name}: {IN_USE_LIBUSB}; quit that program, then plug the deck in again"
    else:
        words = f"{name}: plugged in, but the kernel has no hidraw node for it; plug it in again"
    command = "" if deck.holders or deck.uses_libusb else hint("the kernel has no HID driver for the deck")
    return failure("decks", words, command, _UNAVAILABLE, deck.product)


def _unlisted_decks(context: DoctorContext) -> list[UnlistedDeck]:
    if context.platform != "linux":
        return []
    listed = {Path(found.path).name for found in context.decks()}
    products = {product for _, product in product_ids()}
    found = []
    for device in usb_sysfs.usb_devices(context.sys_root):
        supported = device.product_id in products
        # The vendor's cameras and microphones have other titles.
        if set(device.hidraw) & listed or not (supported or "stream deck" in device.title.lower()):
            continue
        holders = usb_sysfs.holders_of([device.node], context.proc)[device.node]
        names = tuple(f"{holder.name} (process {holder.pid})" for holder in holders)
        found.append(UnlistedDeck(product_name(device.product_id), device.title, supported, names, device.uses_libusb))
    return found


def _daemon_paths(context: DoctorContext) -> frozenset[str]:
    try:
        status = context.daemon()
    except OpenBalanceError:
        return frozenset()
    return frozenset(deck["path"] for deck in status["decks"] if deck["connected"]) if status is not None else frozenset()


def _daemon_pid(context: DoctorContext) -> int | None:
    try:
        status = context.daemon()
    except OpenBalanceError:
        return None
    return int(status["pid"]) if status is not None else None
