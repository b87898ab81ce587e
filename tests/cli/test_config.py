"""`config init|check|show|path`."""

from pathlib import Path

from msgspec import structs

from openbalance_hid.config.load import load_config, parse
from openbalance_hid.config.schema import Config
from tests.cli.command_line import here, machine, process
from tests.cli.terminal_user import TerminalUser


def test_the_path_is_printed_and_nothing_is_created(tmp_path: Path):
    done = process(machine(tmp_path), "config", "path")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'config.toml'}\n", "")
    assert list(tmp_path.iterdir()) == []


def test_the_written_default_equals_the_defaults(tmp_path: Path):
    file = tmp_path / "new" / "config.toml"
    written = here(tmp_path, "config", "init", OPENBALANCE_CONFIG=str(file))
    assert (written.exit_code, written.stdout) == (0, f"wrote {file}\n")
    assert structs.replace(load_config(file), decks=()) == Config()
    assert here(tmp_path, "config", "check", OPENBALANCE_CONFIG=str(file)).stdout == f"{file}: ok\n"


def test_an_existing_file_is_replaced_only_with_force(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text("theme = 'light'")
    refused = here(tmp_path, "config", "init")
    assert refused.exit_code == 78
    assert refused.stderr == f"error: {file} exists\ntry: openbalance-hid config init --force\n"
    assert file.read_text() == "theme = 'light'"


def test_a_replaced_file_is_kept_as_a_backup(tmp_path: Path):
    (tmp_path / "config.toml").write_text("theme = 'light'")
    assert here(tmp_path, "config", "init", "--force").exit_code == 0
    assert (tmp_path / "config.toml.bak").read_text() == "theme = 'light'"
    assert "\n[[decks.keys]]\n" in (tmp_path / "config.toml").read_text()


def test_a_configuration_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    refused = here(tmp_path, "config", "init", OPENBALANCE_CONFIG=str(tmp_path / "file" / "config.toml"))
    assert refused.exit_code == 78
    assert refused.stderr.startswith("error: cannot write ")
    assert refused.stderr.endswith(f"\ntry: ls -ld {tmp_path / 'file'}\n")


def test_the_directory_that_refuses_is_in_the_hint_and_not_one_that_is_missing(tmp_path: Path):
    (tmp_path / "file").write_text("")
    refused = here(tmp_path, "config", "init", OPENBALANCE_CONFIG=str(tmp_path / "file" / "missing" / "config.toml"))
    assert refused.stderr.endswith(f"\ntry: ls -ld {tmp_path / 'file'}\n")


def test_a_check_lists_every_problem_and_ends_with_78(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text("theme = 'drak'\n[[decks]]\n[[decks.keys]]\nkey = 0\ntile = 'balanc'\nsize = 3\n")
    done = process(machine(tmp_path), "config", "check")
    assert (done.returncode, done.stdout) == (78, "")
    first, second, hint = done.stderr.splitlines()
    assert hint == "try: openbalance-hid config edit"
    assert first == f"error: {file}:1: theme: found 'drak', accepted: one of 'dark', 'light'; did you mean 'dark'?"
    assert second.startswith(f"{file}:5: decks[0].keys[0].tile: found 'balanc', accepted: one of 'balance', ")
    assert second.endswith("did you mean 'balance'?")


def test_a_key_in_the_path_of_a_file_is_not_repeated(tmp_path: Path):
    (tmp_path / "config.toml").write_text(f'ca_file = "/x/sk-or-v1-{"ab" * 32}"\n')
    done = here(tmp_path, "config", "check")
    assert done.stderr == "note: cannot use the ca_file /x/sk-or-…: no such file or directory\n"


def test_another_file_can_be_checked(tmp_path: Path):
    (tmp_path / "other.toml").write_text("hold_seconds = 99")
    assert here(tmp_path, "config", "check").exit_code == 0
    assert here(tmp_path, "config", "check", str(tmp_path / "other.toml")).exit_code == 78
    assert here(tmp_path, "config", "check", str(tmp_path / "none.toml")).exit_code == 2


def test_a_missing_file_is_an_error_with_the_command_that_creates_it(tmp_path: Path):
    (tmp_path / "config.toml").mkdir()
    refused = here(tmp_path, "config", "check")
    assert refused.stderr == f"error: {tmp_path / 'config.toml'}: not a file\ntry: openbalance-hid config path\n"


def test_without_a_file_check_reports_that_the_defaults_are_used(tmp_path: Path):
    assert here(tmp_path, "config", "check").stdout == f"{tmp_path / 'config.toml'}: no such file; the defaults are used\n"


def test_the_printed_configuration_is_the_same_configuration(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text("theme = 'light'\n[[decks]]\n[[decks.keys]]\nkey = 2\ntile = 'balance'\nlow_usd = 5.50\n")
    shown = here(tmp_path, "config", "show")
    assert shown.exit_code == 0
    assert parse(shown.stdout, "shown") == load_config(file)
    assert "low_usd = 5.50\n" in shown.stdout


# --- config edit ---------------------------------------------------------------------------------------------------------


def editor(folder: Path, *versions: str) -> str:
    """Return an editor that saves one version after the other, each at one start."""
    program = folder / "editor"
    for number, text in enumerate(versions):
        (folder / f"version-{number}").write_text(text)
    count = f"n=$(cat {folder}/starts 2>/dev/null || echo 0)\necho $((n+1)) > {folder}/starts"
    program.write_text(f'#!/bin/sh\n{count}\ncat {folder}/version-$n > "$1"\n')
    program.chmod(0o755)
    return str(program)


def test_edit_writes_the_default_first_and_checks_what_is_saved(tmp_path: Path):
    done = process(machine(tmp_path, VISUAL=editor(tmp_path, 'theme = "light"\n')), "config", "edit")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"wrote {tmp_path / 'config.toml'}", f"{tmp_path / 'config.toml'}: ok"]
    assert load_config(tmp_path / "config.toml").theme == "light"


def test_edit_in_a_pipe_reports_every_problem_and_keeps_what_was_typed(tmp_path: Path):
    done = process(machine(tmp_path, EDITOR=editor(tmp_path, "theme = dark\n"), VISUAL=""), "config", "edit")
    assert done.returncode == 78
    assert done.stderr.endswith(':1: a text needs quotes: theme = "dark"\ntry: openbalance-hid config edit\n')
    assert (tmp_path / "config.toml").read_text() == "theme = dark\n"


def test_edit_offers_to_go_back_into_the_editor(tmp_path: Path):
    env = machine(tmp_path, VISUAL=editor(tmp_path, "theme = dark\n", 'theme = "light"\n'))
    with TerminalUser(env, "config", "edit") as user:
        assert "a text needs quotes" in user.waits_for("Edit again? [Y/n]: ")
        user.types("")
        assert user.ends() == 0
    assert load_config(tmp_path / "config.toml").theme == "light"


def test_edit_puts_the_previous_version_back_and_keeps_the_new_one(tmp_path: Path):
    (tmp_path / "config.toml").write_text("notify = false\n")
    with TerminalUser(machine(tmp_path, VISUAL=editor(tmp_path, "theme = dark\n")), "config", "edit") as user:
        user.answers("Edit again? [Y/n]: ", "n")
        user.answers("Put the previous version back? Yours is kept beside it. [y/N]: ", "y")
        assert user.ends() == 78
    assert (tmp_path / "config.toml").read_text() == "notify = false\n"
    assert (tmp_path / "config.toml.rejected").read_text() == "theme = dark\n"


def test_an_editor_that_does_not_start_is_an_error(tmp_path: Path):
    done = process(machine(tmp_path, VISUAL="/nowhere/editor --wait"), "config", "edit")
    assert (done.returncode, done.stderr) == (
        2,
        "error: the editor failed: /nowhere/editor is not installed\ntry: EDITOR=nano openbalance-hid config edit\n",
    )
