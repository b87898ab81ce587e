"""hidapi, the decks, who else has them, and the udev rules, judged."""

from __future__ import annotations

from collections.abc import Sequence

from openbalance_hid.errors import DeckBusyError, DeckError, DeckRefusedError
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.facts import Holder, Missing, Node, Session, UdevRules

AGAIN = "sudo udevadm trigger --subsystem-match=hidraw"
# What the transport says of a refusal on macOS leads here; there it is a switch of the system's.
SELF = "openbalance-hid doctor"
INPUT_MONITORING = 'open "x-apple.systempreferences:com.apple.preference.security?Privacy_ListenEvent"'
_UNAVAILABLE = DeckError.exit_code


def decks(nodes: Sequence[Node], missing: Sequence[Missing], session: Session, rules: UdevRules | None) -> list[Check]:
    """One check a deck; one for all where there is none."""
    checks = [_node(node, session, rules) for node in nodes] + [_missing(each) for each in missing]
    return checks or [warning("decks", "no Stream Deck is plugged in", "openbalance-hid demo")]


def _node(node: Node, session: Session, rules: UdevRules | None) -> Check:
    name = f"{node.title} ({node.product}), serial {node.serial or 'unknown'}"
    if node.ours:
        return ok("decks", f"{name}: in use by the running daemon", node.path)
    if node.error is None:
        return ok("decks", f"{name}: can be opened", node.path)
    hint = "" if isinstance(node.error, DeckBusyError) else node.error.hint  # `owners` tells who has it
    hint = INPUT_MONITORING if hint == SELF else hint
    if hint and isinstance(node.error, DeckRefusedError) and rules is not None:
        covered = rules.same or (rules.file is not None and node.product not in rules.seen_uncovered)
        hint = f"{hint} --headless" if not session.at_seat else AGAIN if covered else hint
    return failure("decks", f"{name}: {node.error.message}", hint, node.error.exit_code, node.path)


def _missing(each: Missing) -> Check:
    name = f"{each.title} ({each.product})"
    if not each.known:
        return warning("decks", f"{name}: this version does not know it", "pipx upgrade openbalance-hid", each.product)
    if each.owners:
        found = f"{name}: taken away from the kernel by {', '.join(each.owners)}; end that, then plug the deck in again"
    else:
        found = f"{name}: plugged in, but the kernel has no hidraw node for it; plug it in again"
    return failure("decks", found, "sudo modprobe usbhid" if not each.owners else "", _UNAVAILABLE, each.product)


def owners(holders: Sequence[Holder], nodes: int) -> list[Check]:
    """Programs that have a deck open beside the running daemon."""
    if not holders:
        return [ok("owners", "no other program has a deck open" if nodes else "no deck to be owned")]
    return [
        warning(
            "owners", f"{each.name} (process {each.pid}) has it open too: both would draw on it", f"kill {each.pid}", each.path
        )
        for each in holders
    ]


def udev(rules: UdevRules) -> list[Check]:
    """A hint: whether the node can be opened is what counts."""
    install = "openbalance-hid udev install"
    if rules.file is not None:
        if rules.same:
            return [ok("udev", f"the rules of this version are in {rules.file}")]
        return [warning("udev", f"the rules in {rules.file} are not those of this version", install)]
    if not rules.uncovered:
        return [ok("udev", f"rules that are not ours cover all {rules.products} products")]
    if len(rules.uncovered) == rules.products:
        return [warning("udev", "no rule speaks of a Stream Deck", install)]
    covered = f"rules that are not ours cover {rules.products - len(rules.uncovered)} of {rules.products} products"
    if rules.seen_uncovered:
        return [warning("udev", f"{covered}, and not the deck that is here: {', '.join(rules.seen_uncovered)}", install)]
    return [warning("udev", f"{covered}; not {', '.join(rules.uncovered)}", install)]
