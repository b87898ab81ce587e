"""hidapi, the decks, who else has them, and the udev rules, as they are."""

from __future__ import annotations

import os
from pathlib import Path

from openbalance_hid.deck import usb_sysfs as usb_look
from openbalance_hid.deck.products import open_error, product_ids
from openbalance_hid.deck.transport import load_hidapi
from openbalance_hid.deck.udev_rules import RULES_DIRS, RulesKind, RulesState, covered_products, installed_rules
from openbalance_hid.errors import DeckError, OpenBalanceError
from openbalance_hid.service.doctor.check import Check, ok
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.facts import Holder, Missing, Node, UdevRules
from openbalance_hid.service.doctor.gather.desktop import session_of
from openbalance_hid.service.doctor.judge import decks as judge


def hidapi(_: DoctorContext) -> list[Check]:
    """The back end, loaded."""
    module = load_hidapi()
    return [
        ok("hidapi", f"{getattr(module, '__version__', 'of an unknown version')}, back end {getattr(module, '__name__', '?')}")
    ]


def decks(patient: DoctorContext) -> list[Check]:
    """Each deck, opened where the running daemon has not; and those that only USB knows."""
    ours = _paths_of_the_daemon(patient)
    nodes = [
        Node(
            found.path,
            found.title,
            f"{found.vendor_id:04x}:{found.product_id:04x}",
            found.serial,
            found.path in ours,
            None if found.path in ours else open_error(found),
        )
        for found in patient.decks()
    ]
    rules = _rules(patient) if patient.platform == "linux" else None
    return judge.decks(nodes, _missing(patient), session_of(patient), rules)


def owners(patient: DoctorContext) -> list[Check]:
    """Who has a deck open: not this process, and not the running daemon."""
    if patient.platform != "linux":
        return []
    try:
        paths = [found.path for found in patient.decks()]
    except DeckError:  # `decks` says why
        return []
    daemon = _daemon_pid(patient)
    holders = [
        Holder(path, owner.pid, owner.name)
        for path, owners_ in sorted(usb_look.holders_of(paths, patient.proc).items())
        for owner in owners_
        if owner.pid not in (os.getpid(), daemon)
    ]
    return judge.owners(holders, len(paths))


def udev(patient: DoctorContext) -> list[Check]:
    """Rule files and the hardware database."""
    return judge.udev(_rules(patient)) if patient.platform == "linux" else []


def _rules(patient: DoctorContext) -> UdevRules:
    places = patient.udev_dirs or RULES_DIRS
    standing = [installed_rules(kind, places) for kind in RulesKind]
    there = [(state, file) for state, file in standing if state is not RulesState.MISSING]
    products = {product for _, product in product_ids()}
    uncovered = products - covered_products(products, places)
    try:
        seen = {found.product_id for found in patient.decks()}
    except OpenBalanceError:
        seen = set()
    return UdevRules(
        str(there[0][1]) if there else None,
        any(state is RulesState.CURRENT for state, _ in there),
        tuple(_name(product) for product in sorted(uncovered)),
        len(products),
        tuple(_name(product) for product in sorted(uncovered & seen)),
    )


def _missing(patient: DoctorContext) -> list[Missing]:
    if patient.platform != "linux":
        return []
    listed = {Path(found.path).name for found in patient.decks()}
    known = {product for _, product in product_ids()}
    found = []
    for device in usb_look.usb_devices(patient.sys_root):
        is_known = device.product_id in known
        # The vendor makes cameras and microphones as well, whose names say so.
        if set(device.hidraw) & listed or not (is_known or "stream deck" in device.title.lower()):
            continue
        holders = usb_look.holders_of([device.node], patient.proc)[device.node]
        names = tuple(f"{owner.name} (process {owner.pid})" for owner in holders)
        found.append(Missing(_name(device.product_id), device.title, is_known, bool(device.hidraw), names))
    return found


def _paths_of_the_daemon(patient: DoctorContext) -> frozenset[str]:
    try:
        told = patient.daemon()
    except OpenBalanceError:
        return frozenset()
    return frozenset(deck["path"] for deck in told["decks"] if deck["connected"]) if told is not None else frozenset()


def _daemon_pid(patient: DoctorContext) -> int | None:
    try:
        told = patient.daemon()
    except OpenBalanceError:
        return None
    return int(told["pid"]) if told is not None else None


def _name(product_id: int) -> str:
    return f"{usb_look.VENDOR}:{product_id:04x}"
