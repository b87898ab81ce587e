"""The options of a command tile: what is accepted, each slip in words, and which icons and files are refused."""

import os
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.icon_file import LARGEST_BYTES
from openbalance_hid.config.load import load_config, parse
from openbalance_hid.errors import ConfigError
from openbalance_hid.tiles.command import ICONS, command_of
from openbalance_hid.tiles.options import LONGEST_WORD, MOST_WORDS
from openbalance_hid.tiles.view import LARGEST_ICON_PX, Icon, IconPicture

HEAD = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "command"\n'
WORDS = "accepted: a program's absolute path and its arguments"


def options(text: str, **more: object):
    return parse(HEAD + text, "c.toml").decks[0].pages[0].keys[0].options


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse(HEAD + text, "c.toml")
    return [line.partition(": ")[2].removeprefix("decks[0].keys[0].") for line in str(refused.value).splitlines()]


def png(width: int = 4, height: int = 4) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + b"\xff\0\0\xff" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_all_options_are_read_and_written_out_again():
    text = (
        'show = ["/usr/bin/uptime", "-p"]\nevery_seconds = 86400\nrun = ["/bin/a"]\nhold_run = ["/bin/b", ""]\n'
        'limit_seconds = 3600\nicon = "clock"\ntone = "exit"\n'
    )
    command = command_of(options(text))
    assert (command.show, command.run, command.hold_run) == (("/usr/bin/uptime", "-p"), ("/bin/a",), ("/bin/b", ""))
    assert (command.every_s, command.limit_s, command.watch) == (86400, 3600, False)
    for each in (text, 'show = ["/bin/x"]\nwatch = true\n', 'run = ["/bin/x"]\n', 'tap = "page:main"\nicon = "page"\n'):
        config = parse(HEAD + each, "c.toml")
        assert parse(render_effective(config), "c.toml") == config


def test_without_an_interval_it_is_a_minute():
    assert command_of(options('show = ["/bin/x"]')).every_s == 60


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('show = ["uptime-of-nobody"]', "show[0]: found 'uptime-of-nobody', accepted: the absolute path of a program"),
        ('show = ["./x"]', "show[0]: found './x', accepted: the absolute path of a program"),
        ('run = [""]', "run[0]: found '', accepted: the absolute path of a program"),
        ("show = []", f"show: found no words, {WORDS}"),
        ("hold_run = []", f"hold_run: found no words, {WORDS}"),
        ('show = "/usr/bin/uptime"', "show: found '/usr/bin/uptime', accepted: a list of texts"),
        ('show = ["/x", 5]', "show[1]: found 5, accepted: a text"),
        ('show = ["/x", "a\\u0000b"]', f"show: found other words, accepted: at most {MOST_WORDS} words"),
        (f'show = ["/x", "{"a" * (LONGEST_WORD + 1)}"]', f"show: found other words, accepted: at most {MOST_WORDS} words"),
        ("show = [" + '"/x",' * (MOST_WORDS + 1) + "]", f"show: found other words, accepted: at most {MOST_WORDS} words"),
        ('show = ["/x"]\nevery_seconds = 0', "every_seconds: found 0, accepted: a whole number from 1 to 86400"),
        ('show = ["/x"]\nevery_seconds = 86401', "every_seconds: found 86401, accepted: a whole number from 1 to 86400"),
        ('show = ["/x"]\nevery_seconds = "5"', "every_seconds: found '5', accepted: a whole number from 1 to 86400; write 5"),
        ('show = ["/x"]\nevery_seconds = 5\nwatch = true', "every_seconds: found beside watch = true, accepted: one of them"),
        ('run = ["/x"]\nwatch = true', "watch: found without show, accepted: only beside it"),
        ('run = ["/x"]\nevery_seconds = 9', "every_seconds: found without show, accepted: only beside it"),
        ('show = ["/x"]\nlimit_seconds = 0', "limit_seconds: found 0, accepted: a whole number from 1 to 3600"),
        ('run = ["/x"]\ntap = "none"', "run: found beside tap, accepted: one of them"),
        ('hold_run = ["/x"]\nhold = "refresh"', "hold_run: found beside hold, accepted: one of them"),
        ('label = "Nothing"', "show: missing, accepted: at least one of show, run, hold_run"),
        ('run = ["/x"]\ntone = "colour"', "tone: found 'colour', accepted: one of 'auto', 'class', 'exit', 'none'"),
        ('run = ["/x"]\nicon = "mial"', "did you mean 'mail'?"),
        ('run = ["/x"]\nicon = "icons/mail.png"', "or the absolute path of a PNG file"),
        ('run = ["/x"]\nicon = "/nowhere/mail.png"', "accepted: a PNG file; there is no such file"),
        ('run = ["/x"]\nicon = "/"', "accepted: a PNG file; this is not a file"),
        ('run = ["/x"]\nicon = "/dev/zero"', "accepted: a PNG file; this is not a file"),
        ('run = ["/x"]\ncommand = ["/y"]', "command: unknown, accepted: account, every_seconds"),
    ],
)
def test_each_slip_is_one_problem_in_words(text, problem):
    (found,) = problems(text)
    assert problem in found


def test_a_program_that_is_on_the_path_is_suggested_with_its_place():
    (found,) = problems('show = ["sh", "-c", "true"]')
    assert found.endswith('/sh"')
    assert problems('show = ["~/bin/x"]')[0].endswith(f'write "{Path.home()}/bin/x"')


def test_all_problems_are_reported_at_once():
    assert len(problems('show = ["x"]\nrun = []\nicon = "no"\nevery_seconds = -1\ntone = 5')) == 5


def test_a_command_has_no_place_on_the_touch_strip():
    with pytest.raises(ConfigError, match=r"decks\[0\].strip.tiles\[0\]: found 'command', accepted: only on keys"):
        parse('[[decks]]\n[decks.strip]\ntiles = ["command"]\n', "c.toml")


def test_every_icon_of_ours_can_be_named():
    assert {Icon(name) for name in ICONS} == set(Icon)
    assert options('run = ["/x"]\nicon = "eye-off"')["icon"] == "eye-off"


def test_a_png_file_is_read_and_keeps_its_path(tmp_path):
    file = tmp_path / "icon.png"
    file.write_bytes(png())
    config = parse(f'{HEAD}run = ["/x"]\nicon = "{file}"\n', "c.toml")
    assert config.decks[0].pages[0].keys[0].options["icon"] == IconPicture(str(file), png())
    assert f'icon = "{file}"' in render_effective(config)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a PNG file"),
        (b"GIF89a", "not a PNG file"),
        (png()[:-20], "a damaged PNG file"),
        (png().replace(b"IDAT", b"IDAX"), "a damaged PNG file"),
        (png()[:8], "a damaged PNG file"),
        (png()[:8] + b"\xff\xff\xff\xff" + png()[12:], "a damaged PNG file"),
        (png(1, LARGEST_ICON_PX + 1), f"1 × {LARGEST_ICON_PX + 1} px, not 1 × 1 to {LARGEST_ICON_PX} × {LARGEST_ICON_PX}"),
        (png(0, 0), "this has 0 × 0 px, not 1 × 1"),
        (png() + bytes(LARGEST_BYTES), "larger than 256 KiB"),
    ],
)
def test_a_file_that_is_no_small_whole_png_is_refused(tmp_path, content, reason):
    file = tmp_path / "icon.png"
    file.write_bytes(content)
    assert reason in problems(f'run = ["/x"]\nicon = "{file}"')[0]


def safe_folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    if any(parent.stat().st_mode & 0o022 and not parent.stat().st_mode & 0o1000 for parent in tmp_path.parents):
        pytest.skip("the temporary directory may be changed by others")
    return tmp_path


@pytest.mark.parametrize("text", [f'{HEAD}show = ["/bin/date"]\n', '[[alerts]]\nrun = ["/bin/true"]\n'])
def test_a_file_that_names_programs_is_refused_if_others_could_change_it(tmp_path, text):
    file = safe_folder(tmp_path) / "config.toml"
    file.write_text(text)
    file.chmod(0o644)
    assert load_config(file).programs
    for mode in (0o666, 0o664, 0o646):
        file.chmod(mode)
        with pytest.raises(ConfigError, match=r"names programs to run, but .* may be written by other users") as refused:
            load_config(file)
        assert refused.value.hint == f"chmod go-w {file}"
    file.write_text("")
    assert load_config(file).programs == ()  # without programs it is no danger


@pytest.mark.parametrize(
    "text",
    [
        'ca_file = "/etc/ssl/proxy.pem"\n',
        '[publish]\nmqtt = "mqtts://broker.example"\nca_file = "/x.pem"\n',
        '[accounts.team]\nsource = "mqtts://broker.example/a/team"\nsource_ca_file = "/x.pem"\n',
    ],
)
def test_a_file_that_names_root_certificates_is_refused_if_others_could_change_it(tmp_path, text):
    file = safe_folder(tmp_path) / "config.toml"
    file.write_text(text)
    file.chmod(0o644)
    assert len(load_config(file).certificate_files) == 1
    file.chmod(0o666)
    with pytest.raises(ConfigError, match=r"names root certificates, but .* may be written by other users") as refused:
        load_config(file)
    assert refused.value.hint == f"chmod go-w {file}"


def test_a_directory_above_that_others_could_change_is_named(tmp_path):
    open_ = safe_folder(tmp_path) / "open"
    open_.mkdir()
    folder = open_ / "mine"
    folder.mkdir(mode=0o700)
    file = folder / "config.toml"
    file.write_text(f'{HEAD}show = ["/bin/date"]\n')
    file.chmod(0o600)
    open_.chmod(0o777)
    with pytest.raises(ConfigError) as refused:
        load_config(file)
    assert refused.value.hint == f"chmod go-w {open_}"


def test_a_file_of_another_user_is_refused(tmp_path):
    if os.geteuid():
        pytest.skip("needs root, to give a file to another user")
    file = safe_folder(tmp_path) / "config.toml"
    file.write_text(f'{HEAD}show = ["/bin/date"]\n')
    file.chmod(0o600)
    os.chown(file, 65534, 65534)
    with pytest.raises(ConfigError, match="belongs to user 65534"):
        load_config(file)


@pytest.mark.parametrize(
    ("written", "list_"),
    [
        ("sh -c 'a b'", f'["{shutil.which("sh")}", "-c", "a b"]'),
        ("/bin/x y", '["/bin/x", "y"]'),
        ("no-such-program", '["no-such-program"]'),
    ],
)
def test_a_command_line_in_place_of_a_list_is_shown_as_a_list(written: str, list_: str):
    assert problems(f'show = "{written}"') == [f"show: found {written!r}, accepted: a list of texts; write {list_}"]


def test_a_command_line_with_an_open_quote_is_no_list():
    assert problems('show = "sh -c \'a"')[0].endswith("accepted: a list of texts")
