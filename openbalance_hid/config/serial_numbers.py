"""Which entry of the configuration is for which deck, by serial number, and the entries and decks that do not fit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def is_same_serial(of_deck: str, given: str) -> bool:
    """Return whether `given`, which a user wrote, is this serial number or the end of it, whatever its case and blanks.

    Or the other way round: of some models the library reports the serial number without its first three characters.
    """
    one, other = _plain(of_deck), _plain(given)
    return bool(one and other) and (one.endswith(other) or other.endswith(one))


def unused_entries(entries: Sequence[str | None], decks: Collection[str]) -> list[str]:
    """Return a line for each entry that fits no connected deck.

    `entries`: the serial number of each [[decks]], None for one without; `decks`: of the connected decks.
    """
    connected = f"connected: {', '.join(sorted(decks))}" if decks else "no deck is connected"
    return [
        f"decks[{number}]: no connected deck has the serial number '{given}'; {connected}"
        for number, given in enumerate(entries)
        if given is not None and not any(is_same_serial(deck, given) for deck in decks)
    ]


def decks_without_entry(entries: Sequence[str | None], decks: Collection[str], left: bool = False) -> list[str]:
    """Return a line for each connected deck that no entry is for, if there are entries. `left`: to other software."""
    if not entries or None in entries:
        return []
    what = 'it is left to other software (use_decks = "named")' if left else "it shows the default tiles"
    return [
        f"deck {deck}: no [[decks]] has its serial number; {what}"
        for deck in sorted(decks)
        if not any(given is not None and is_same_serial(deck, given) for given in entries)
    ]


def _plain(serial: str) -> str:
    return "".join(serial.split()).upper()
