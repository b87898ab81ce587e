"""Which entry of the configuration is for which deck, by serial number, and the entries and decks that do not fit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def is_same_serial(of_deck: str, given: str) -> bool:
    """Return whether `given`, which a user wrote, is this serial number or the end of it, whatever its case and blanks.

    Or the other way round: of some models the library reports the serial number without its first three characters.
    """
    one, other = plain_serial(of_deck), plain_serial(given)
    return bool(one and other) and (one.endswith(other) or other.endswith(one))


def plain_serial(serial: str) -> str:
    """Return a serial number without blanks, in capitals."""
    return "".join(serial.split()).upper()


def entry_for(entries: Sequence[str | None], deck: str) -> int | None:
    """Return the number of the entry that is for a deck by its serial number: the same one, else the first that fits."""
    exact = (number for number, given in enumerate(entries) if given and plain_serial(given) == plain_serial(deck) != "")
    fitting = (number for number, given in enumerate(entries) if given and is_same_serial(deck, given))
    return next(exact, next(fitting, None))


def unused_entries(entries: Sequence[str | None], decks: Collection[str], only_named: bool = False) -> list[str]:
    """Return a line for each entry that no connected deck uses.

    `entries`: the serial number of each [[decks]], None for one without; `decks`: of the connected decks. `only_named`: decks
    without an entry are left to other software.
    """
    used = {deck: entry_for(entries, deck) for deck in decks}
    connected = f"connected: {', '.join(sorted(decks))}" if decks else "no deck is connected"
    lines = []
    for number, given in enumerate(entries):
        if given is None:
            lines += _unused_without_serial(number, entries, only_named)
            continue
        if number in used.values():
            continue
        fitting = sorted(deck for deck in decks if is_same_serial(deck, given))
        if fitting:
            lines.append(f"decks[{number}]: '{given}' fits deck {fitting[0]}, which uses decks[{used[fitting[0]]}]")
        else:
            lines.append(f"decks[{number}]: no connected deck has the serial number '{given}'; {connected}")
    return lines


def _unused_without_serial(number: int, entries: Sequence[str | None], only_named: bool) -> list[str]:
    if only_named:
        return [f'decks[{number}]: never used: it has no serial number, and use_decks is "named"']
    first = entries.index(None)
    return [f"decks[{number}]: never used: decks[{first}] has no serial number either"] if number > first else []


def decks_without_entry(entries: Sequence[str | None], decks: Collection[str], left: bool = False) -> list[str]:
    """Return a line for each connected deck that no entry is for, if there are entries. `left`: to other software."""
    if not left and (not entries or None in entries):
        return []
    what = 'it is left to other software (use_decks = "named")' if left else "it shows the default tiles"
    return [
        f"deck {deck}: no [[decks]] has its serial number; {what}" for deck in sorted(decks) if entry_for(entries, deck) is None
    ]
