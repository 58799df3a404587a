"""Managing users from the machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kame_voice.accounts.people import BadUser
from kame_voice.cli import app
from kame_voice.core.errors import KameError
from kame_voice.store.archive import Archive
from kame_voice.store.errors import (
    DatabaseUnreachable,
    LastAdmin,
    TokenExists,
    TokenNotFound,
    UserExists,
    UserNotFound,
)
from tests.support.running_app import flow_text


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("KAME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KAME_PUBLIC_URL", "https://voice.example")
    monkeypatch.setenv("KAME_FLOWS_DIR", str(tmp_path / "flows"))
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "acme.yaml").write_text(flow_text())
    Archive.open(f"sqlite:///{tmp_path / 'kame.db'}", tmp_path).close()
    runner = CliRunner()
    said(runner, "add", "boss", "--role", "admin")
    return runner


def said(run: CliRunner, *words: str) -> str:
    """What the command tells, warnings included."""
    result = run.invoke(app, ["users", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def printed(run: CliRunner, *words: str) -> str:
    """What a script reads of it."""
    return run.invoke(app, ["users", *words], catch_exceptions=False).stdout


def test_a_user_is_added_with_a_link_to_choose_a_password(run: CliRunner) -> None:
    told = said(run, "add", "Ana", "--customer", "acme")
    assert "Added ana, a reviewer, who sees the calls of acme." in told
    assert "https://voice.example/welcome/" in told
    listed = said(run, "list")
    assert "ana" in listed
    assert "reviewer" in listed
    assert "no password" in listed
    assert "acme" in listed


def test_without_a_public_address_the_link_says_what_to_put_there(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAME_PUBLIC_URL")
    told = said(run, "add", "ana")
    assert "https://YOUR-SERVER/welcome/" in told
    assert "KAME_PUBLIC_URL is not set here" in told


def test_role_and_customers_can_be_changed_and_what_is_now_is_told(run: CliRunner) -> None:
    assert "sees nobody's calls" in said(run, "add", "ana")
    assert said(run, "role", "ana", "supervisor").startswith("Now ana, a supervisor, who sees nobody's calls")
    assert "sees the calls of acme" in said(run, "customers", "ana", "--customer", "acme")
    assert "sees the calls of every customer" in said(run, "customers", "ana", "--customer", "*")
    assert "sees nobody's calls" in said(run, "customers", "ana")
    assert "supervisor" in said(run, "list")


def test_a_customer_that_nobody_knows_is_warned_of(run: CliRunner) -> None:
    told = said(run, "add", "ana", "--customer", "acne", "--customer", "acme")
    assert "no flow and no call has the customer 'acne'; there are acme" in told
    assert "acne" in said(run, "list"), "it may be a customer to come"
    assert "no flow" not in said(run, "customers", "ana", "--customer", "*")


def test_a_user_can_be_kept_out_and_let_in_again(run: CliRunner) -> None:
    said(run, "add", "ana")
    assert "ana is disabled" in said(run, "disable", "ana")
    assert "disabled" in said(run, "list")
    with pytest.raises(BadUser, match="enable them first"):
        said(run, "passwd", "ana")
    assert "users passwd ana" in said(run, "enable", "ana")
    assert "disabled" not in said(run, "list")
    assert "signed out everywhere" in said(run, "sign-out", "ana")


def test_a_token_is_printed_once_and_alone_listed_and_ended(run: CliRunner) -> None:
    said(run, "add", "ana")
    token = printed(run, "token", "ana", "nightly").strip()
    assert token.startswith("kame_")
    assert " " not in token
    listed = said(run, "tokens", "ana")
    assert "nightly" in listed
    assert token not in listed
    assert "nightly of ana works no more" in said(run, "token", "ana", "nightly", "--revoke")
    assert "ana has no token" in said(run, "tokens", "ana")


def test_every_change_is_in_the_audit_log_with_what_it_was(run: CliRunner) -> None:
    said(run, "add", "ana")
    said(run, "role", "ana", "admin")
    log = said(run, "audit")
    assert "user.add" in log
    assert '"before": "reviewer", "after": "admin"' in log
    assert "cli" in log
    newest, _, rest = said(run, "audit", "--limit", "1").partition("--before ")
    assert "user.role" in newest
    assert "user.link" in said(run, "audit", "--limit", "1", "--before", rest.strip())
    assert said(run, "audit", "--who", "nobody") == "No entry.\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("role", "nobody", "admin"), UserNotFound),
        (("passwd", "nobody"), UserNotFound),
        (("disable", "nobody"), UserNotFound),
        (("tokens", "nobody"), UserNotFound),
        (("add", "BOSS"), UserExists),
        (("add", "bad name!"), BadUser),
        (("add", "ana", "--customer", "Not A Slug"), BadUser),
        (("role", "boss", "reviewer"), LastAdmin),
        (("disable", "boss"), LastAdmin),
        (("token", "boss", ""), BadUser),
        (("token", "boss", "gone", "--revoke"), TokenNotFound),
    ],
)
def test_a_mistake_is_one_clear_error_and_changes_nothing(
    run: CliRunner, words: tuple[str, ...], error: type[KameError]
) -> None:
    before = said(run, "list")
    with pytest.raises(error):
        said(run, *words)
    assert said(run, "list") == before


def test_a_token_s_name_is_taken_once(run: CliRunner) -> None:
    said(run, "token", "boss", "nightly")
    with pytest.raises(TokenExists):
        said(run, "token", "boss", "nightly")


def test_an_unknown_role_names_those_there_are(run: CliRunner) -> None:
    result = run.invoke(app, ["users", "add", "ana", "--role", "chief"])
    assert result.exit_code == 2
    assert "admin, supervisor or" in result.output
    assert "ana" not in said(run, "list")


def test_before_a_server_has_started_it_says_to_start_one(
    run: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAME_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(DatabaseUnreachable, match="start `kame-voice serve` once"):
        said(run, "list")
