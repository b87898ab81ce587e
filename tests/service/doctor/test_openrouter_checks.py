"""The doctor's checks of the connection and of the clock, against a real local OpenRouter."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.errors import OfflineError
from openbalance_hid.hints import clock_hint
from openbalance_hid.openrouter.ping import proxy_variable
from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.openrouter_checks import assess_clock, assess_openrouter
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.service.doctor.doctor_context import doctor_context, results, single_result

KEY = "sk-or-v1-0123456789abcdef1a2b"


@pytest.fixture
def sample() -> Iterator[SampleAccount]:
    with SampleAccount() as account:
        yield account


def test_an_unreachable_openrouter_is_a_failure_and_the_key_only_a_warning(tmp_path: Path):
    kind, way = results(doctor_context(tmp_path, OPENROUTER_MANAGEMENT_KEY=KEY), "key-kind", "openrouter")
    assert (kind.verdict, way.verdict, way.exit_code) == (CheckStatus.WARNING, CheckStatus.FAILURE, 69)
    assert "the connection was refused" in way.found
    assert way.hint == "curl -sSI http://127.0.0.1:9"


def test_the_proxy_is_named_before_the_trouble():
    error = OfflineError("cannot reach openrouter.ai: its certificate is not trusted")
    (check,) = assess_openrouter("https://openrouter.ai/api/v1", None, error, "HTTPS_PROXY")
    assert check.found == "through the proxy in HTTPS_PROXY: cannot reach openrouter.ai: its certificate is not trusted"


PROXY, OTHER = "http://127.0.0.1:9", "http://127.0.0.1:7"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY, "https_proxy": OTHER}, "https_proxy"),
        ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, None),
        ({"ALL_PROXY": PROXY, "https_proxy": OTHER}, "https_proxy"),
        ({"ALL_PROXY": PROXY, "http_proxy": OTHER}, "ALL_PROXY"),
        ({"http_proxy": PROXY}, None),
        *(
            ({"HTTPS_PROXY": PROXY, "NO_PROXY": excluded}, None)
            for excluded in ("openrouter.ai", "*", ".ai", "x, openrouter.ai")
        ),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "localhost,10.0.0.0/8"}, "HTTPS_PROXY"),
        ({}, None),
    ],
)
def test_only_the_variable_of_the_proxy_in_use_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str | None
):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_variable("https://openrouter.ai/api/v1", os.environ) == named


def test_a_ca_file_that_cannot_be_used_is_not_blamed_on_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    configuration = tmp_path / "with-ca.toml"
    configuration.write_text(f'ca_file = "{tmp_path / "none.pem"}"\n')
    address = "https://openrouter.ai/api/v1"
    context = doctor_context(tmp_path, OPENBALANCE_CONFIG=str(configuration), OPENBALANCE_API_URL=address, HTTPS_PROXY=PROXY)
    way = single_result(context, "openrouter")
    assert way.found == f"cannot use the ca_file {tmp_path / 'none.pem'}: no such file or directory"
    assert (way.hint, way.exit_code) == ("openbalance-hid config edit", 69)


def test_an_address_that_no_key_may_be_sent_to_is_a_configuration_failure(tmp_path: Path):
    env = {"OPENROUTER_MANAGEMENT_KEY": KEY, "OPENBALANCE_API_URL": "http://evil.example/api/v1"}
    way = single_result(doctor_context(tmp_path, **env), "openrouter")
    assert (way.exit_code, way.hint) == (78, "unset OPENBALANCE_API_URL")


@pytest.mark.parametrize(
    ("skew_s", "verdict"),
    [(0, CheckStatus.OK), (-100, CheckStatus.OK), (180, CheckStatus.WARNING), (-7200, CheckStatus.WARNING)],
)
def test_a_wrong_clock_is_found_by_comparison_with_openrouters_clock(
    tmp_path: Path, sample: SampleAccount, skew_s: float, verdict: CheckStatus
):
    sample.date_skew_s = skew_s
    _, clock = results(doctor_context(tmp_path, OPENBALANCE_API_URL=sample.url), "openrouter")
    assert (clock.name, clock.verdict) == ("clock", verdict)
    assert sample.requests[-1].headers.get("authorization") is None, "the request carries no key"
    if verdict is CheckStatus.WARNING:
        assert ("behind" if skew_s > 0 else "ahead of") in clock.found
        assert clock.hint == clock_hint()


@pytest.mark.parametrize(
    ("skew_s", "words"),
    [(121, "2 minutes behind"), (-150, "2 minutes ahead of"), (7200, "2 hours behind"), (-31_534_548, "365 days ahead of")],
)
def test_how_wrong_the_clock_is_has_a_unit_for_people(skew_s: float, words: str):
    (check,) = assess_clock(skew_s)
    assert check.verdict is CheckStatus.WARNING
    assert check.found.startswith(f"{words} OpenRouter's clock")
