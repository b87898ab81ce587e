"""Check of the udev rules. They are only a hint: what matters is whether a deck can be opened."""

from __future__ import annotations

from dataclasses import dataclass

from openbalance_hid.deck.products import product_ids
from openbalance_hid.deck.udev_rules import RULES_DIRS, RulesKind, RulesState, covered_products, installed_rules
from openbalance_hid.deck.usb_sysfs import VENDOR
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.service.doctor.check import Check, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext

INSTALL = hint("the udev rule is missing or old")


@dataclass(frozen=True, slots=True)
class UdevFacts:
    """`file`: our rules, None without; `current`: as this version renders them; `uncovered`: products without any rule.

    `connected_uncovered`: the uncovered products that are plugged in.
    """

    file: str | None
    current: bool
    uncovered: tuple[str, ...]
    products: int
    connected_uncovered: tuple[str, ...] = ()


def check_udev(context: DoctorContext) -> list[Check]:
    """Check the rule files and the hardware database; no check on other systems than Linux."""
    return assess_udev(udev_facts(context)) if context.platform == "linux" else []


def assess_udev(rules: UdevFacts) -> list[Check]:
    """Return whether the rules of this version, or others, cover every product."""
    if rules.file is not None:
        if rules.current:
            return [ok("udev", f"the rules of this version are in {rules.file}")]
        return [warning("udev", f"the rules in {rules.file} are from another version", INSTALL)]
    if not rules.uncovered:
        return [ok("udev", f"rules of other programs cover all {rules.products} products")]
    if len(rules.uncovered) == rules.products:
        return [warning("udev", "no rule covers a Stream Deck", INSTALL)]
    words = f"rules of other programs cover {rules.products - len(rules.uncovered)} of {rules.products} products"
    if rules.connected_uncovered:
        return [warning("udev", f"{words}, but not the connected deck: {', '.join(rules.connected_uncovered)}", INSTALL)]
    return [warning("udev", f"{words}; not {', '.join(rules.uncovered)}", INSTALL)]


def udev_facts(context: DoctorContext) -> UdevFacts:
    """Return what the rule files and the hardware database cover."""
    folders = context.udev_dirs or RULES_DIRS
    states = [installed_rules(kind, folders) for kind in RulesKind]
    installed = [(state, file) for state, file in states if state is not RulesState.MISSING]
    products = {product for _, product in product_ids()}
    uncovered = products - covered_products(products, folders)
    try:
        connected = {found.product_id for found in context.decks()}
    except OpenBalanceError:
        connected = set()
    return UdevFacts(
        str(installed[0][1]) if installed else None,
        any(state is RulesState.CURRENT for state, _ in installed),
        tuple(product_name(product) for product in sorted(uncovered)),
        len(products),
        tuple(product_name(product) for product in sorted(uncovered & connected)),
    )


def product_name(product_id: int) -> str:
    """Return a product of the vendor as lsusb(8) writes it: "0fd9:0080"."""
    return f"{VENDOR}:{product_id:04x}"
