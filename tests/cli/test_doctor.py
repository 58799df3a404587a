"""The doctor says what is set, what is missing and what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kame_voice.cli.doctor import Finding, State, findings
from kame_voice.core.nouns import Role
from kame_voice.core.settings import load_settings
from kame_voice.store.database import Database
from kame_voice.store.users import UserStore
from tests.support.running_app import flow_text


@pytest.fixture
def flows_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "acme.yaml").write_text(flow_text())
    return folder


def report(tmp_path: Path, **settings: object) -> dict[str, Finding]:
    parts: dict[str, object] = {"data_dir": tmp_path / "data", "front_end": "echo"}
    return {finding.what: finding for finding in findings(load_settings(None, **(parts | settings)))}


def test_a_bare_machine_is_told_what_to_set(tmp_path: Path, flows_dir: Path) -> None:
    found = report(tmp_path, flows_dir=flows_dir)
    assert found["public url"].state is State.BAD
    assert "KAME_PUBLIC_URL" in found["public url"].do
    assert found["twilio token"].state is State.BAD
    assert found["anthropic key"].state is State.NOTE


def test_a_set_up_machine_is_ready(tmp_path: Path, flows_dir: Path) -> None:
    found = report(
        tmp_path,
        flows_dir=flows_dir,
        public_url="https://voice.example.com",
        twilio_account_sid="AC1",
        twilio_auth_token="secret",
        front_end="spoken",
    )
    assert [finding for finding in found.values() if finding.state is State.BAD] == []
    assert "voice.example.com/twilio/voice" in found["public url"].text


def test_misspelt_variables_are_told_with_what_was_meant(
    tmp_path: Path, flows_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KAME_DATADIR", "KAME_TWILIO_AUTH_TOKEN", "KAME_LOG_LEVEL"):
        monkeypatch.setenv(name, "info")
    told = [
        finding.text
        for finding in findings(load_settings(None, data_dir=tmp_path, flows_dir=flows_dir, front_end="echo"))
        if finding.what == "environment"
    ]
    assert told == [
        "KAME_DATADIR is no setting; did you mean KAME_DATA_DIR?",
        "KAME_TWILIO_AUTH_TOKEN is no setting; did you mean TWILIO_AUTH_TOKEN?",
    ]


def test_a_fault_and_what_to_do_are_told_once_each(tmp_path: Path, flows_dir: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kame.db").write_bytes(b"garbage" * 1000)
    found = report(tmp_path, flows_dir=flows_dir)["database"]
    assert found.state is State.BAD
    assert found.do
    assert found.do not in found.text


def test_a_machine_without_users_is_told_how_to_make_the_first(tmp_path: Path, flows_dir: Path) -> None:
    found = report(tmp_path, flows_dir=flows_dir)["users"]
    assert found.state is State.NOTE
    assert "kame-voice serve" in found.do


def test_users_are_counted(tmp_path: Path, flows_dir: Path) -> None:
    report(tmp_path, flows_dir=flows_dir)
    database = Database.open(f"sqlite:///{tmp_path / 'data' / 'kame.db'}")
    UserStore(database).add("ana", Role.ADMIN, (), datetime(2026, 11, 25, tzinfo=UTC), None)
    database.close()
    found = report(tmp_path, flows_dir=flows_dir)["users"]
    assert (found.state, found.text) == (State.OK, "1, of whom 0 can sign in")


def test_secrets_are_never_shown(tmp_path: Path, flows_dir: Path) -> None:
    found = report(tmp_path, flows_dir=flows_dir, twilio_auth_token="hush-hush", anthropic_api_key="sk-hush")
    assert "hush" not in "".join(finding.text + finding.do for finding in found.values())


def test_a_broken_flow_is_named(tmp_path: Path, flows_dir: Path) -> None:
    (flows_dir / "acme.yaml").write_text("version: 1\n")
    found = report(tmp_path, flows_dir=flows_dir)
    assert found["flows"].state is State.BAD
    assert "acme.yaml" in found["flows"].text


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path, flows_dir: Path) -> None:
    (tmp_path / "data").write_text("")
    found = report(tmp_path, flows_dir=flows_dir)
    assert found["data folder"].state is State.BAD


def test_a_missing_speech_model_is_named(tmp_path: Path, flows_dir: Path) -> None:
    found = report(tmp_path, flows_dir=flows_dir, front_end="spoken", stt_model=str(tmp_path / "nowhere"))
    assert found["speech to text"].state is State.BAD
    assert "KAME_STT_MODEL" in found["speech to text"].do
