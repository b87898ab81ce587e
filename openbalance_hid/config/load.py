"""Load a file into a `Config`, or raise one error that lists every problem: bytes, UTF-8, TOML.

The meaning of the parsed tables is in `sections`; the accepted options are in `schema` and the tiles.
"""

from __future__ import annotations

import errno
import stat
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

from openbalance_hid.config.diagnostics import Diagnostics
from openbalance_hid.config.schema import Config, ConfigLocation
from openbalance_hid.config.sections import TileOptions, read_config
from openbalance_hid.config.symlink_path import dangling_link
from openbalance_hid.config.toml_limits import exceeded_bound
from openbalance_hid.config.toml_positions import first_header, line_numbers
from openbalance_hid.config.toml_repair import repair
from openbalance_hid.errors import ConfigError
from openbalance_hid.file_safety import file_risk
from openbalance_hid.hints import hint

_OPEN_TO_OTHERS = "the configuration names programs or certificates, and may be written by others"
_OF_ANOTHER_USER = "the configuration names programs or certificates, and is not the user's"
LARGEST_FILE_BYTES = 128 * 1024  # a full XL with eight pages is about 20 kB


def load_config(path: Path, tiles: TileOptions | None = None) -> Config:
    """Return the configuration in the file at `path`; the defaults if there is no file. ConfigError lists every problem.

    A file that names programs or root certificates is refused if another user could change it: a certificate opens TLS.
    """
    text = _read(path)
    if text is None:
        return Config()
    config = parse(text, str(path), tiles)
    power = "programs to run" if config.programs else "root certificates" if config.certificate_files else ""
    if power and (risk := file_risk(path)) is not None:
        trouble = _OF_ANOTHER_USER if risk.writable is None else _OPEN_TO_OTHERS
        raise ConfigError(f"{path} names {power}, but {risk.words}", hint(trouble, path=risk.writable or path))
    return config


def parse(text: str, path: str, tiles: TileOptions | None = None) -> Config:
    """Return the configuration in `text`; messages name it `path`. ConfigError lists every problem, one a line.

    `tiles`: the options of each kind of tile; None: `product_tiles()`.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if (bound := exceeded_bound(text)) is not None:
        raise ConfigError(f"{ConfigLocation(path, bound[0], '')}: {bound[1]}", hint("the configuration has problems", "run"))
    repaired = repair(text)
    text = repaired.text if repaired.text is not None else ""
    diagnostics = Diagnostics(path, line_numbers(text), first_header(text), report_missing=not repaired.left_out)
    for slip in repaired.slips:
        diagnostics.add_slip(slip.line, slip.text)
    config = read_config(_toml(text, path), diagnostics, product_tiles() if tiles is None else tiles)
    diagnostics.raise_any()
    return config


def product_tiles() -> TileOptions:
    """Return the options of each kind of tile of the product."""
    from openbalance_hid.tiles import TILES  # here: a caller with tiles of its own loads none

    return {name: kind.options for name, kind in TILES.items()}


def _read(path: Path) -> str | None:
    try:
        # Before opening: opening a pipe without a writer blocks for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: not a file", hint("the configuration is not a file"))
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE_BYTES + 1)
    except FileNotFoundError as error:
        found = dangling_link(path)
        if found is None:
            return None
        link, target = found
        name = "it" if link == path else str(link)
        raise ConfigError(
            f"{path}: cannot be read: {name} is a link to {target}, which does not exist",
            hint("the configuration cannot be read", path=link),
        ) from error
    except OSError as error:
        if sys.platform == "darwin" and error.errno == errno.EPERM:  # of modes and owners it is EACCES
            words = (
                f"{path}: macOS does not permit this program to read it, as in Documents, Desktop, Downloads or iCloud Drive"
            )
            raise ConfigError(words, hint("macOS does not permit to read the configuration")) from error
        raise ConfigError(
            f"{path}: cannot be read: {(error.strerror or type(error).__name__).lower()}",
            hint("the configuration cannot be read", path=path),
        ) from error
    if len(raw) > LARGEST_FILE_BYTES:
        raise ConfigError(
            f"{path}: larger than {LARGEST_FILE_BYTES // 1024} KiB", hint("the configuration has problems", "run")
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: not UTF-8 text: byte 0x{raw[error.start]:02x}", hint("the configuration has problems", "run")
        ) from error


def _toml(text: str, path: str) -> dict[str, object]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except RecursionError as error:  # depends on how deep the caller is
        raise ConfigError(f"{path}: nested too deeply", hint("the configuration has problems", "run")) from error
