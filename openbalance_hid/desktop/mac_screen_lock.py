"""Reads the lock of the user's session on macOS, from the window server.

Nothing there reports a change to a process without a run loop, so the session is read at turns of the main loop that happen
anyway. `CGSSessionScreenIsLocked` is in the dictionary of the session, and true, while the screen is locked; else it is absent.
`kCGSSessionOnConsoleKey` is false while another user's session is on the screen. Without a session with a display, as over ssh,
there is no dictionary.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

_FRAMEWORKS = "/System/Library/Frameworks"
CORE_GRAPHICS = f"{_FRAMEWORKS}/CoreGraphics.framework/CoreGraphics"  # in the shared cache of dyld, not on the disk
CORE_FOUNDATION = f"{_FRAMEWORKS}/CoreFoundation.framework/CoreFoundation"
LOCKED, ON_CONSOLE = b"CGSSessionScreenIsLocked", b"kCGSSessionOnConsoleKey"
_UTF8 = 0x08000100  # kCFStringEncodingUTF8, <CoreFoundation/CFString.h>
_INT = 9  # kCFNumberIntType, <CoreFoundation/CFNumber.h>


class MacSession:
    """Reads the session by the C functions of macOS. OSError where they are missing. `load`: as ctypes.CDLL."""

    def __init__(self, load: Callable[[str], Any] = ctypes.CDLL) -> None:
        graphics, self._foundation = load(CORE_GRAPHICS), load(CORE_FOUNDATION)
        pointer, foundation = ctypes.c_void_p, self._foundation
        self._copy_session = graphics.CGSessionCopyCurrentDictionary
        for function, result, *arguments in (
            (self._copy_session, pointer),
            (foundation.CFStringCreateWithCString, pointer, pointer, ctypes.c_char_p, ctypes.c_uint32),
            (foundation.CFDictionaryGetValue, pointer, pointer, pointer),
            (foundation.CFGetTypeID, ctypes.c_ulong, pointer),
            (foundation.CFBooleanGetTypeID, ctypes.c_ulong),
            (foundation.CFBooleanGetValue, ctypes.c_ubyte, pointer),
            (foundation.CFNumberGetTypeID, ctypes.c_ulong),
            (foundation.CFNumberGetValue, ctypes.c_ubyte, pointer, ctypes.c_long, pointer),
            (foundation.CFRelease, None, pointer),
        ):
            function.restype, function.argtypes = result, arguments

    def is_locked(self) -> bool | None:
        """Return whether the session is locked, or not on the screen; None without a session with a display."""
        session = self._copy_session()
        if not session:
            return None
        try:
            return self._flag(session, LOCKED, False) or not self._flag(session, ON_CONSOLE, True)
        finally:
            self._foundation.CFRelease(session)

    def _flag(self, session: int, name: bytes, default: bool) -> bool:
        """Return a flag of the dictionary, which is a CFBoolean or a CFNumber; `default` without it."""
        foundation = self._foundation
        key = foundation.CFStringCreateWithCString(None, name, _UTF8)
        try:
            value = foundation.CFDictionaryGetValue(session, key)  # is released with the dictionary
        finally:
            foundation.CFRelease(key)
        if not value:
            return default
        kind = foundation.CFGetTypeID(value)
        if kind == foundation.CFBooleanGetTypeID():
            return bool(foundation.CFBooleanGetValue(value))
        number = ctypes.c_int(0)
        if kind == foundation.CFNumberGetTypeID() and foundation.CFNumberGetValue(value, _INT, ctypes.byref(number)):
            return bool(number.value)
        return default


class PolledScreenLock:
    """Calls `changed(locked, certain)` from `check`: at its first call, and at each change. Used by one thread."""

    def __init__(self, changed: Callable[[bool, bool], object], load: Callable[[str], Any] = ctypes.CDLL) -> None:
        self._changed = changed
        self._load = load
        self._session: MacSession | None = None
        self._last: bool | None = None

    def check(self) -> None:
        """Read the session, and report a change. Without a session with a display it counts as open."""
        if self._session is None:
            self._session = MacSession(self._load)
        locked = self._session.is_locked() is True
        if locked is not self._last:
            self._last = locked
            self._changed(locked, True)
