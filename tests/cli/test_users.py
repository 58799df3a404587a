"""Managing users from the machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kame_voice.cli import app
from kame_voice.store.archive import Archive
from kame_voice.store.errors import UserNotFound


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("KAME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KAME_PUBLIC_URL", "https://voice.example")
    Archive.open(f"sqlite:///{tmp_path / 'kame.db'}", tmp_path).close()
    runner = CliRunner()
    said(runner, "add", "boss", "--role", "admin")
    return runner


def said(run: CliRunner, *words: str) -> str:
    result = run.invoke(app, ["users", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_user_is_added_with_a_link_to_choose_a_password(run: CliRunner) -> None:
    assert "https://voice.example/welcome/" in said(run, "add", "Ana", "--customer", "acme")
    listed = said(run, "list")
    assert "ana" in listed
    assert "reviewer" in listed
    assert "no password" in listed
    assert "acme" in listed


def test_role_and_customers_can_be_changed(run: CliRunner) -> None:
    said(run, "add", "ana")
    said(run, "role", "ana", "supervisor")
    said(run, "customers", "ana", "--customer", "acme", "--customer", "zenith")
    assert "supervisor" in said(run, "list")
    assert "acme, zenith" in said(run, "list")


def test_a_user_can_be_kept_out_and_let_in_again(run: CliRunner) -> None:
    said(run, "add", "ana")
    said(run, "disable", "ana")
    assert "disabled" in said(run, "list")
    said(run, "enable", "ana")
    assert "disabled" not in said(run, "list")


def test_a_token_is_printed_once_and_can_be_ended(run: CliRunner) -> None:
    said(run, "add", "ana")
    assert len(said(run, "token", "ana", "nightly").strip()) > 30
    said(run, "token", "ana", "nightly", "--revoke")


def test_every_change_is_in_the_audit_log(run: CliRunner) -> None:
    said(run, "add", "ana")
    said(run, "role", "ana", "admin")
    log = said(run, "audit")
    assert "user.add" in log
    assert "user.role" in log


def test_an_unknown_user_is_one_clear_error(run: CliRunner) -> None:
    with pytest.raises(UserNotFound, match="nobody"):
        said(run, "role", "nobody", "admin")
