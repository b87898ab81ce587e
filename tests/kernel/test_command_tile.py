"""A command tile of the service: its programs run outside of the sandbox, as transient units of the user's systemd."""

from pathlib import Path

import pytest

from tests.kernel.attached_decks import AttachedDecks, texts_in_status
from tests.kernel.guest import PATIENCE_S
from tests.kernel.states import Machine
from tests.waiting import until

pytestmark = pytest.mark.kernel

SHOWN = """\
#!/bin/sh
sed -n 's/^NoNewPrivs:[^0-9]*/privileges /p' /proc/self/status
sed 's,.*/,,' /proc/self/cgroup > ~/unit
"""
PRESSED = """\
#!/bin/sh
sed 's,.*/,,' /proc/self/cgroup > ~/pressed
"""
CONFIG = """\
[[decks]]
rest = "blank"
[[decks.keys]]
key = 0
tile = "command"
show = ["/home/owner/bin/shown"]
run = ["/home/owner/bin/pressed", "--now"]
"""
UNIT = "openbalance-hid-command-"


def test_the_programs_of_a_command_tile_run_as_units_of_the_user(serving: Machine, tmp_path: Path) -> None:
    guest = serving.guest
    for name, text in (("shown", SHOWN), ("pressed", PRESSED), ("config.toml", CONFIG)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    guest.put([tmp_path / "shown", tmp_path / "pressed"], "~/bin")
    guest.run("chmod 755 ~/bin")
    serving.configure(tmp_path / "config.toml")
    service = guest.run("systemctl --user show --property=MainPID --value openbalance-hid").strip()
    assert guest.run(f"grep NoNewPrivs /proc/{service}/status").split() == ["NoNewPrivs:", "1"]
    with AttachedDecks(guest, "mk2-scissor") as attached:
        deck = attached.plug()
        until(lambda: deck.glass(0).getbbox() is not None, limit_s=PATIENCE_S)

        def text() -> str:
            return texts_in_status(serving.status(), deck.serial).get(0, "")

        until(lambda: "privileges 0" in text(), text, PATIENCE_S)
        assert guest.until("cat ~/unit").startswith(UNIT)
        deck.press(0)
        deck.release(0)
        assert guest.until("cat ~/pressed").startswith(UNIT)
        assert deck.faults == []
    guest.run("systemctl --user stop openbalance-hid")
    assert guest.run(f"systemctl --user list-units --all --no-legend '{UNIT}*'") == ""
