"""`preview`, and the pictures of the README, which it draws."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image, ImageChops, ImageFilter

from openbalance_hid.cli.preview import DECK_FILE
from openbalance_hid.render.draw import draw
from openbalance_hid.simulator.device.models import OFFERED
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS
from openbalance_hid.tiles.view import Hero, Icon, KeyFace, Line, TileView, Tone
from tests.cli.command_line import here, machine, python

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / ".github" / "pictures"
EPOCH = "1770302400"
PNG = b"\x89PNG"
LARGEST_BYTES = 130_000
BLOCK_PX = 8
TOLERANCE = 16  # of 255, of a block's mean: another font rasteriser stays below it, another digit does not

checkout = pytest.mark.skipif(not PICTURES.exists(), reason="the README's pictures are in the repository only")


def preview(home: Path, *args: str, at: str = "") -> Result:
    """Run `preview` in this process, with SOURCE_DATE_EPOCH."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", at)
        return here(home, "preview", *args)


# --- pictures ------------------------------------------------------------------------------------------------------------


def test_with_source_date_epoch_the_picture_is_the_same(tmp_path: Path):
    for name, epoch in (("one", EPOCH), ("same", EPOCH), ("later", str(int(EPOCH) + 86400))):
        said = preview(tmp_path, "--scenario", "critical", "-o", str(tmp_path / name), at=epoch)
        assert (said.exit_code, said.stdout) == (0, f"{tmp_path / name}: sample account 'critical'\n")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "same").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "later").read_bytes()


@pytest.mark.parametrize("epoch", ["0", "315532800", "250000000000"])
def test_every_accepted_source_date_epoch_is_drawn(tmp_path: Path, epoch: str):
    said = preview(tmp_path, "--scenario", "spike", "-o", str(tmp_path / "deck.png"), at=epoch)
    assert said.exit_code == 0, said.stderr


def test_without_daemon_and_options_the_default_account_and_file_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    said = preview(tmp_path)
    assert (said.exit_code, said.stdout) == (0, f"{DECK_FILE}: sample account 'normal'\n")
    assert Path(DECK_FILE).read_bytes().startswith(PNG)


def test_the_default_configuration_is_drawn_unless_config_names_another(tmp_path: Path):
    (tmp_path / "config.toml").write_text('theme = "light"')
    (tmp_path / "other.toml").write_text('theme = "dark"')
    for name, args in (("usual", []), ("other", ["--config", str(tmp_path / "other.toml")]), ("themed", ["--theme", "dark"])):
        preview(tmp_path, *args, "--scenario", "normal", "-o", str(tmp_path / name), at=EPOCH)
    assert (tmp_path / "usual").read_bytes() != (tmp_path / "other").read_bytes()
    assert (tmp_path / "themed").read_bytes() == (tmp_path / "other").read_bytes()


def test_each_account_can_have_its_own_scenario(tmp_path: Path):
    (tmp_path / "config.toml").write_text('[accounts.work]\n[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "balance"\n')
    said = preview(tmp_path, "--scenario", "work=offline", "--scenario", "spike", "-o", str(tmp_path / "deck.png"))
    assert said.stdout.endswith(": sample account 'spike', 'offline'\n")


def test_a_key_that_the_model_lacks_is_noted_and_the_rest_is_drawn(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text('[[decks]]\n[[decks.keys]]\nkey = 14\ntile = "balance"\n')
    said = preview(tmp_path, "--model", "mini", "--scenario", "normal", "-o", str(tmp_path / "deck.png"))
    assert said.exit_code == 0
    assert said.stderr == f"note: {file}:3: decks[0].keys[0].key: found key 14, but this deck has only the keys 0 to 5\n"
    assert (tmp_path / "deck.png").exists()


# --- bad input -----------------------------------------------------------------------------------------------------------

HELP = "try: openbalance-hid preview --help\n"


@pytest.mark.parametrize(
    ("args", "stderr"),
    [
        (["--model", "mk3"], f"'mk3' is not one of {', '.join(OFFERED)}; did you mean 'mk2'?"),
        (["--scenario", "rejectd"], f"{', '.join(name for name, _ in SCENARIOS)}; did you mean 'rejected'?"),
        (["--scenario", "work=zzz"], f"'zzz' is not one of {', '.join(name for name, _ in SCENARIOS)}\n"),
        (["--theme", "ligth"], "'ligth' is not one of dark, light; did you mean 'light'?"),
    ],
)
def test_a_mistyped_option_lists_accepted_values_and_the_nearest(tmp_path: Path, args: list[str], stderr: str):
    said = preview(tmp_path, *args, "-o", str(tmp_path / "deck.png"))
    assert (said.exit_code, said.stdout) == (2, "")
    assert stderr in said.stderr
    assert said.stderr.endswith(HELP)
    assert not (tmp_path / "deck.png").exists()


def test_an_account_that_the_configuration_lacks_is_a_usage_error(tmp_path: Path):
    (tmp_path / "config.toml").write_text("[accounts.work]")
    said = preview(tmp_path, "--scenario", "wrok=spike", "-o", str(tmp_path / "deck.png"))
    assert said.exit_code == 2
    assert "no such account: 'wrok' is not one of default, work; did you mean 'work'?" in said.stderr


@pytest.mark.parametrize("epoch", ["yesterday", "-1", "1.5", "٣", "250000000001"])
def test_an_invalid_source_date_epoch_is_a_usage_error(tmp_path: Path, epoch: str):
    said = preview(tmp_path, "--scenario", "normal", "-o", str(tmp_path / "deck.png"), at=epoch)
    assert said.exit_code == 2
    assert said.stderr.startswith(f"error: SOURCE_DATE_EPOCH is '{epoch}', not whole seconds")


@pytest.mark.parametrize(("file", "why"), [("missing/deck.png", "no such file or directory"), (".", "is a directory")])
def test_a_picture_that_cannot_be_written_is_a_usage_error(tmp_path: Path, file: str, why: str):
    said = preview(tmp_path, "--scenario", "offline", "-o", str(tmp_path / file))
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.startswith(f"error: cannot write {tmp_path / file}: {why}\ntry: ls -ld ")


def test_a_picture_goes_to_standard_output_for_a_hyphen(tmp_path: Path):
    said = here(tmp_path, "preview", "-o", "-")
    assert (said.exit_code, said.stdout_bytes[:4], said.stderr) == (0, b"\x89PNG", "-: sample account 'normal'\n")
    assert not (tmp_path / "-").exists()


def test_a_broken_configuration_is_78_with_every_problem(tmp_path: Path):
    (tmp_path / "config.toml").write_text('them = "dark"\n[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "balanse"\n')
    said = preview(tmp_path, "-o", str(tmp_path / "deck.png"))
    assert said.exit_code == 78
    assert "'theme'" in said.stderr
    assert "'balance'" in said.stderr


def test_help_names_source_date_epoch_and_needs_no_pillow(tmp_path: Path):
    assert "SOURCE_DATE_EPOCH" in preview(tmp_path, "--help").stdout
    code = (
        "import sys, openbalance_hid.cli.preview; print([name for name in ('PIL', 'requests', 'hid') if name in sys.modules])"
    )
    assert python(machine(tmp_path), code).stdout == "[]\n"


# --- the README's pictures -----------------------------------------------------------------------------------------------


def recipe() -> dict[str, tuple[str, list[str]]]:
    """Return picture -> SOURCE_DATE_EPOCH and arguments of `preview` without `-o`, from `make pictures`."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    variables = {name: text for line in lines for name, text in re.findall(r"^(\w+) := (.*)$", line)}
    start = next(number for number, line in enumerate(lines) if line.startswith("pictures:"))
    made = {}
    for line in lines[start + 1 :]:
        if not line.startswith("\t"):
            break
        while "$(" in line:
            line = re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], line)
        epoch, _, command, *args = shlex.split(line)
        if "tools.pictures" in args:  # tests/render/test_readme_pictures.py
            continue
        assert (command, args[-2]) == ("preview", "-o")
        made[Path(args[-1]).name] = (epoch.removeprefix("SOURCE_DATE_EPOCH="), args[:-2])
    return made


def difference(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference of any block's mean, in any channel, on white: 0 to 255; other sizes: 255."""
    if one.size != other.size:
        return 255
    on_white = []
    for image in (one.convert("RGBA"), other.convert("RGBA")):
        page = Image.new("RGBA", image.size, "white")
        page.alpha_composite(image)
        on_white.append(page.convert("RGB").reduce(BLOCK_PX))
    return max(high for _, high in ImageChops.difference(*on_white).getextrema())


@checkout
@pytest.mark.parametrize("name", recipe() if PICTURES.exists() else ())
def test_the_pictures_of_the_readme_are_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(ROOT)
    epoch, args = recipe()[name]
    said = preview(tmp_path, *args, "-o", str(tmp_path / name), at=epoch)
    assert said.exit_code == 0, said.stderr
    far = difference(Image.open(tmp_path / name), Image.open(PICTURES / name))
    assert far <= TOLERANCE, f"{name} is stale by {far} of 255: make pictures"


@checkout
def test_the_readme_shows_every_picture_and_they_are_small():
    shown = re.findall(r"\]\(\.github/pictures/([^)]+)\)", (ROOT / "README.md").read_text())
    made = [*recipe(), "deck-animated.webp", "tiles.png"]
    assert sorted(shown) == sorted(made) == sorted(path.name for path in PICTURES.iterdir() if path.suffix != ".toml")
    assert {name: size for name in recipe() if (size := (PICTURES / name).stat().st_size) > LARGEST_BYTES} == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_another_digit_makes_a_picture_stale_another_rasteriser_does_not(theme: str):
    def key(trend: str) -> Image.Image:
        line = Line(trend, Tone.GOOD, Icon.DOWN)
        return draw(KeyFace(TileView("balance", "Balance", (Hero("$74.25"), line), "words", theme)), 144, 144)

    now = key("$0.31 today")
    assert difference(now, key("$0.37 today")) > TOLERANCE
    assert 0 < difference(now, now.filter(ImageFilter.GaussianBlur(0.5))) <= TOLERANCE
