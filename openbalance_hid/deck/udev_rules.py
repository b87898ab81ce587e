"""The udev rules that let a user open a deck, rendered from the library's product table, and how they get to their place.

Rules are text here: nothing is written, nothing is run. A rule names one product and its hidraw node only: the vendor also
makes cameras, and hidapi needs no other node. Nobody but the person at the seat, or the members of a group, gets access.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from openbalance_hid.deck.products import NAMES, product_ids

# What the headless rules ask for. Debian, Ubuntu and Raspberry Pi OS have this group for devices that come and go, and their
# first user is in it. `input` exists everywhere, but its members can read every keyboard.
GROUP = "plugdev"

# Of two files of the same name, udev takes the one in the earlier directory (udev(7)).
RULES_DIRS = tuple(Path(place) for place in ("/etc/udev", "/run/udev", "/usr/local/lib/udev", "/usr/lib/udev", "/lib/udev"))


class Rules(Enum):
    """For whom."""

    DESKTOP = "desktop"  # the person at the seat
    HEADLESS = "headless"  # a service, or a user who comes through ssh


class Installed(Enum):
    """What is there."""

    NOTHING = "nothing"
    SAME = "same"
    OTHER = "other"  # another version's, or changed by hand
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Member:
    """A user who is to be in the group. `group_exists`: on this machine."""

    user: str
    group_exists: bool
    is_member: bool


_HEADS = {
    Rules.DESKTOP: """\
# Stream Decks for openbalance-hid: the person who sits at this machine may open them.
# Belongs into /etc/udev/rules.d; must sort before 73-seat-late.rules, which acts on the tag.
""",
    Rules.HEADLESS: f"""\
# Stream Decks for openbalance-hid, on a machine where nobody sits: members of the group {GROUP} may open them.
# Belongs into /etc/udev/rules.d; the group must exist when udev reads this.
""",
}
_GRANTS = {Rules.DESKTOP: 'TAG+="uaccess"', Rules.HEADLESS: f'GROUP="{GROUP}", MODE="0660"'}
_COMMANDS = {Rules.DESKTOP: ("udev", "print"), Rules.HEADLESS: ("udev", "print", "--headless")}


def rules_name(kind: Rules) -> str:
    """The name of the file."""
    return "70-openbalance-hid.rules" if kind is Rules.DESKTOP else "70-openbalance-hid-headless.rules"


def render_rules(kind: Rules) -> str:
    """The file: one rule a product that the installed library drives. Equal for equal products, whatever the version."""
    head = _HEADS[kind] + (
        f"# Made by `openbalance-hid {' '.join(_COMMANDS[kind])}` from the products that python-elgato-streamdeck drives:\n"
        "# to change it, print it again.\n"
    )
    return "\n".join(
        [
            head,
            'ACTION=="remove", GOTO="openbalance_hid_end"',
            'SUBSYSTEM!="hidraw", GOTO="openbalance_hid_end"',
            "",
            *(line for vendor, product in product_ids() for line in _rule(kind, vendor, product)),
            "",
            'LABEL="openbalance_hid_end"',
            "",
        ]
    )


def _rule(kind: Rules, vendor: int, product: int) -> tuple[str, str]:
    title = NAMES[product][1] if product in NAMES else "a newer product"
    match = f'SUBSYSTEMS=="usb", ATTRS{{idVendor}}=="{vendor:04x}", ATTRS{{idProduct}}=="{product:04x}"'
    return f"# {title}", f"{match}, {_GRANTS[kind]}"


def look(kind: Rules, places: Iterable[Path] = RULES_DIRS) -> tuple[Installed, Path | None]:
    """What udev reads under that name, and where it is. `places`: udev's directories, the stronger one first."""
    for place in places:
        file = place / "rules.d" / rules_name(kind)
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return Installed.UNREADABLE, file
        return (Installed.SAME if text == render_rules(kind) else Installed.OTHER), file
    return Installed.NOTHING, None


def install_command(kind: Rules, program: Sequence[str], is_root: bool, member: Member | None = None) -> str:
    """The one line for a shell that puts the rules into place and has udev apply them to the decks that are plugged in.

    `program`: the words that start this program, absolute, so that a pipx or a virtual environment does not matter; it runs as
    the user, and root only writes. `member`: with the headless rules, who is to be in the group; the group comes first, because
    udev looks it up when it reads the rules.
    """
    sudo = "" if is_root else "sudo "
    file = RULES_DIRS[0] / "rules.d" / rules_name(kind)
    printing = shlex.join([*program, *_COMMANDS[kind]])
    steps = []
    if member is not None and not member.group_exists:
        steps.append(f"{sudo}groupadd --system {GROUP}")
    if member is not None and not member.is_member:
        steps.append(f"{sudo}usermod --append --groups {GROUP} {shlex.quote(member.user)}")
    steps += [
        f"{printing} > {file}" if is_root else f"{printing} | sudo tee {file} >/dev/null",
        f"{sudo}udevadm control --reload",
        f"{sudo}udevadm trigger --subsystem-match=hidraw",
    ]
    return " && ".join(steps)


def program_words(argv0: str, executable: str) -> tuple[str, ...]:
    """How to start this program again from anywhere: the installed command, else the interpreter with the package.

    `argv0` as in sys.argv, `executable` as in sys.
    """
    command = Path(argv0).absolute()  # and not resolved: an upgrade may move what a link leads to
    if command.name == "openbalance-hid" and command.is_file():
        return (str(command),)
    # -P: nothing is imported from where it is started
    return (str(Path(executable).absolute()), "-P", "-m", "openbalance_hid") if executable else ("openbalance-hid",)
