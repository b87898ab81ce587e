"""`setup --broker`: tries user and password at a real broker, stores them, and says in two lines what is wrong."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command_line import here, machine, process
from tests.desktop.keyrings import MemoryKeyring, installed
from tests.mqtt.mosquitto import DESK, PASSWORD, Mosquitto, mosquitto, needs_mosquitto
from tests.service.doctor.doctor_context import doctor_context, results

NOWHERE = "mqtts://127.0.0.1:9"  # the discard port: nothing listens


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def configured(folder: Path, broker: Mosquitto) -> None:
    (folder / "config.toml").write_text(
        f'[accounts.team]\nsource = "{broker.url}/openbalance/team"\nsource_ca_file = "{broker.ca_file}"\n'
        f'[publish]\nmqtt = "{broker.url}"\nca_file = "{broker.ca_file}"\n'
    )


@needs_mosquitto
def test_a_login_that_works_is_stored_and_one_that_does_not_is_named(tmp_path: Path, broker: Mosquitto):
    memory = MemoryKeyring()
    with installed(memory):
        env = machine(tmp_path)
        configured(Path(env["OPENBALANCE_CONFIG"]).parent, broker)
        refused = here(tmp_path, "setup", "--broker", broker.url, "--stdin", stdin=f"{DESK}\nwrong\n")
        assert refused.exit_code == 77
        assert refused.stderr.splitlines() == [
            f"error: {broker.url} refuses this user or password",
            f"try: openbalance-hid setup --broker {broker.url}",
        ]
        assert memory.kept == {}
        done = here(tmp_path, "setup", "--broker", f"{broker.url}/openbalance/team", "--stdin", stdin=f"{DESK}\n{PASSWORD}\n")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout == f"stored in the keyring for {broker.url}: user 'desk'\n"
        assert PASSWORD not in done.stdout
        gone = here(tmp_path, "setup", "--broker", broker.url, "--forget")
        assert gone.stdout == "removed from the keyring\n"
        assert memory.kept == {}


@needs_mosquitto
def test_doctor_names_what_each_broker_answers(tmp_path: Path, broker: Mosquitto):
    context = doctor_context(tmp_path)
    configured(context.paths.config_file.parent, broker)
    checks = results(context, "broker")
    assert [(check.about, check.verdict.value, check.exit_code) for check in checks] == [
        ("publish", "failure", 77),
        ("team", "failure", 77),
    ]
    assert checks[0].hint == f"openbalance-hid setup --broker {broker.url}"
    here(tmp_path, "setup", "--broker", broker.url, "--stdin", "--store", "file", stdin=f"{DESK}\n{PASSWORD}\n")
    publish, team = results(doctor_context(tmp_path), "broker")
    assert (publish.verdict.value, team.verdict.value) == ("ok", "warning")
    assert "has no snapshot at openbalance/team" in team.found
    assert "as 'desk', from " in publish.found


@pytest.mark.parametrize(
    ("words", "typed", "code", "says"),
    [
        ((NOWHERE,), "desk\nx\n", 69, "refuses connections: no broker is running there; nothing was stored"),
        (("mqtts://desk:secret@b",), "desk\nx\n", 2, "--broker has an address with a user name or password"),
        (("mqtt://broker.example",), "desk\nx\n", 2, "--broker has an address without TLS"),
        (("broker.example",), "desk\nx\n", 2, "--broker has no address of a broker"),
        ((NOWHERE,), "desk\n", 2, "standard input needs two lines"),
        ((NOWHERE,), "", 2, "standard input needs two lines"),
    ],
)
def test_everything_else_ends_with_two_lines(tmp_path: Path, words: tuple[str, ...], typed: str, code: int, says: str):
    result = here(tmp_path, "setup", "--broker", *words, "--stdin", "--store", "file", stdin=typed)
    assert result.exit_code == code
    first, second = result.stderr.splitlines()
    assert says in first
    assert second.startswith("try: openbalance-hid setup --broker ")
    assert "secret" not in result.stderr


def test_a_login_is_stored_without_a_check_where_the_broker_is_away(tmp_path: Path):
    result = here(tmp_path, "setup", "--broker", NOWHERE, "--stdin", "--store", "file", "--no-check", stdin="desk\nx\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("for mqtts://127.0.0.1:9: user 'desk', not checked\n")


def test_without_the_extra_the_error_has_two_lines_and_the_command(tmp_path: Path):
    (tmp_path / "without/paho").mkdir(parents=True)
    (tmp_path / "without/paho/__init__.py").write_text("raise ImportError('not installed')\n")
    env = machine(tmp_path, PYTHONPATH=f"{tmp_path / 'without'}:{':'.join(filter(None, sys.path))}")
    done = process(env, "setup", "--broker", NOWHERE, "--stdin", "--store", "file", stdin="desk\nx\n")
    assert done.returncode == 77
    assert done.stderr.splitlines() == [
        "error: MQTT needs the package paho-mqtt, which is not installed",
        "try: pipx inject openbalance-hid paho-mqtt",
    ]
