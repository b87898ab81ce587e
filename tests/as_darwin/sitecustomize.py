"""Makes every Python of `make test-darwin` a Mac's wherever a program looks: Python imports this module when it starts.

`sys.platform` is darwin, the packages that pip installs on Linux only are missing, kqueue is a stand-in over inotify, poll
reports of a descriptor only what was requested, and the programs and libraries of macOS are missing or those of the tests. The
other system calls below Python stay Linux's, and `selectors`, which waits for sockets by them: it is imported first.
"""

import select
import selectors
import sys
import sysconfig
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

DECIDED = (selectors,)
ONLY_ON_LINUX = ("jeepney", "pyudev", "secretstorage")  # as pyproject.toml and keyring declare them
NOT_HERE = "keyring.backends.macOS.api"  # it loads the Security framework
KQUEUE = Path(__file__).parents[1] / "config/standin_kqueue.py"
POLL = Path(__file__).parents[1] / "ipc/standin_poll.py"


class Missing:
    """Refuses the import of what is not installed on macOS."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in ONLY_ON_LINUX or name == NOT_HERE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def loaded(file: Path) -> ModuleType:
    """Return a stand-in, without the package of the tests."""
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def become_darwin() -> None:
    """Make this process one on macOS, as far as Python code can see."""
    sysconfig.get_config_vars()  # from a file with the name of the platform
    sys.platform = "darwin"
    sys.meta_path.insert(0, Missing())
    proxies = ModuleType("_scproxy")  # the system's proxy settings: none
    proxies._get_proxies = dict  # type: ignore[attr-defined]
    proxies._get_proxy_settings = lambda: {"exclude_simple": False}  # type: ignore[attr-defined]
    sys.modules["_scproxy"] = proxies
    select.poll = loaded(POLL).Poll
    standin = loaded(KQUEUE)
    for name in dir(standin):
        if name.startswith(("KQ_", "kqueue", "kevent")):
            setattr(select, name, getattr(standin, name))


become_darwin()
