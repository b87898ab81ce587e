"""Whether a deck can be used now: tried on the deck itself, because no rule file and no mode says it for certain."""

from openbalance_hid.deck.products import FoundDeck
from openbalance_hid.errors import DeckError


def why_not(found: FoundDeck) -> DeckError | None:
    """Why it cannot be opened; None when it can. Opens and closes it without a word: what is on its glass stays."""
    device = found.deck.device
    try:
        device.open()
    except DeckError as error:
        return error
    device.close()
    return None
