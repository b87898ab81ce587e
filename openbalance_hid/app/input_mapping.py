"""What a deck reports of a finger, as the house understands it: cells and pages instead of pixels. Pure."""

from openbalance_hid.app.events import CellTouched, DialPushed, DialTurned, Finger, KeyMoved, Swiped, TouchKeyMoved
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.deck import events as deck

CELL_PX = 200  # of the strip, above each dial: 4 on the Plus, 6 on the Plus XL
SWIPE_PX = 100  # a finger that has moved less has tapped

_Reported = deck.KeyEvent | deck.TouchKeyEvent | deck.DialTurned | deck.DialPushed | deck.StripTouched


def told(event: _Reported) -> Finger | None:
    """The finger's event; None for what means nothing, as a dial that is let go."""
    match event:
        case deck.KeyEvent():
            return KeyMoved(event.serial, event.key, event.down, event.mono_s)
        case deck.TouchKeyEvent():
            return TouchKeyMoved(event.serial, event.touch_key, event.down)
        case deck.DialTurned():
            return DialTurned(event.serial, event.dial, event.steps)
        case deck.DialPushed():
            return DialPushed(event.serial, event.dial) if event.down else None
    return _strip(event)


def _strip(event: deck.StripTouched) -> Finger:
    """A page is drawn along with the finger: to the left brings the next one."""
    moved_px = event.x_out_px - event.x_px
    if event.touch is deck.TouchKind.DRAG and abs(moved_px) >= SWIPE_PX:
        return Swiped(event.serial, 1 if moved_px < 0 else -1)
    gesture = Gesture.HOLD if event.touch is deck.TouchKind.HOLD else Gesture.TAP
    return CellTouched(event.serial, event.x_px // CELL_PX, gesture)
