"""The functions of CoreGraphics and CoreFoundation that read the session, as ctypes would call them on macOS.

Objects are numbers above 2³²; a result without `restype` c_void_p is cut to a C int, as ctypes does, and is no object then.
`CGSSessionScreenIsLocked` is absent in an open session and a CFBoolean in a locked one (seen on macOS 14 and 15 by several
programs; older systems have a CFNumber).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

FIRST_OBJECT = 0x6000_0000_0000
BOOLEAN, NUMBER, STRING, DICTIONARY = 21, 22, 7, 18


class Function:
    """A C function: arguments and result as declared, or as ctypes takes them without."""

    def __init__(self, call: Callable[..., int | None]) -> None:
        self._call = call
        self.restype: Any = ctypes.c_int
        self.argtypes: Any = None

    def __call__(self, *arguments: Any) -> Any:
        if self.argtypes is not None:
            assert len(arguments) == len(self.argtypes)
        for value in arguments:
            if isinstance(value, int) and (self.argtypes is None) and value >= 1 << 32:
                raise OverflowError("int too long to convert")
        result = self._call(*arguments)
        return result if self.restype is None else self.restype(result or 0).value


class Mac:
    """`session`: name -> bool or int, None without one. `alive`: objects that were created and not released."""

    def __init__(self, session: dict[bytes, bool | int] | None) -> None:
        self.session = session
        self.alive: dict[int, Any] = {}
        self._borrowed: dict[int, Any] = {}
        self._next = FIRST_OBJECT

    def load(self, path: str) -> Any:
        """Return a library, as ctypes.CDLL."""
        names = {
            "CoreGraphics": ("CGSessionCopyCurrentDictionary",),
            "CoreFoundation": (
                "CFStringCreateWithCString",
                "CFDictionaryGetValue",
                "CFGetTypeID",
                "CFBooleanGetTypeID",
                "CFBooleanGetValue",
                "CFNumberGetTypeID",
                "CFNumberGetValue",
                "CFRelease",
            ),
        }[path.rpartition("/")[2]]
        return type("Library", (), {name: Function(getattr(self, name)) for name in names})

    def _new(self, where: dict[int, Any], value: Any) -> int:
        self._next += 16
        where[self._next] = value
        return self._next

    def CGSessionCopyCurrentDictionary(self) -> int | None:  # noqa: N802
        return None if self.session is None else self._new(self.alive, dict(self.session))

    def CFStringCreateWithCString(self, allocator: None, text: bytes, encoding: int) -> int:  # noqa: N802
        assert encoding == 0x08000100
        return self._new(self.alive, text)

    def CFDictionaryGetValue(self, dictionary: int, key: int) -> int | None:  # noqa: N802
        values = self.alive[dictionary]
        name = self.alive[key]
        return self._new(self._borrowed, values[name]) if name in values else None

    def CFGetTypeID(self, value: int) -> int:  # noqa: N802
        return BOOLEAN if isinstance(self._borrowed[value], bool) else NUMBER

    def CFBooleanGetTypeID(self) -> int:  # noqa: N802
        return BOOLEAN

    def CFBooleanGetValue(self, value: int) -> int:  # noqa: N802
        assert isinstance(self._borrowed[value], bool)
        return int(self._borrowed[value])

    def CFNumberGetTypeID(self) -> int:  # noqa: N802
        return NUMBER

    def CFNumberGetValue(self, value: int, kind: int, target: Any) -> int:  # noqa: N802
        assert kind == 9
        target._obj.value = self._borrowed[value]
        return 1

    def CFRelease(self, value: int) -> None:  # noqa: N802
        del self.alive[value]  # a second release crashes the process
