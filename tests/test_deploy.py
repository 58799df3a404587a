"""The files under deploy/ name only what exists, and leave calls the time to finish."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kame_voice.core.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
SDK_NAMES = {
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
}
COMPOSE_ONLY = {"KAME_DOMAIN"}


def setting_names() -> set[str]:
    return {f"KAME_{name.upper()}" for name in Settings.model_fields} | SDK_NAMES | COMPOSE_ONLY


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_setting_a_deploy_file_names_exists(path: Path) -> None:
    named = set(re.findall(r"\b(?:KAME|TWILIO|ANTHROPIC)_[A-Z_]+\b", path.read_text()))
    assert named <= setting_names()


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("Dockerfile*")), ids=lambda path: path.name)
def test_what_the_image_copies_is_in_the_repository(path: Path) -> None:
    copies = [line.split()[1:] for line in path.read_text().splitlines() if line.startswith("COPY ")]
    sources = [word for words in copies if not words[0].startswith("--from") for word in words[:-1]]
    assert sources, "the image must copy the project"
    assert [source for source in sources if not (ROOT / source).exists()] == []


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("compose*.yaml")), ids=lambda path: path.name)
def test_the_compose_file_stands_and_its_mounts_exist(path: Path) -> None:
    compose = YAML(typ="safe").load(path.read_text())
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            host = volume.split(":")[0]
            assert host in compose["volumes"] or (DEPLOY / host).exists(), volume


def test_stop_timeouts_leave_time_for_the_drain() -> None:
    drain_s = Settings.model_fields["drain_s"].default
    compose = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())
    grace_s = int(compose["services"]["voice"]["stop_grace_period"].removesuffix("s"))
    unit = (DEPLOY / "kame-voice.service").read_text()
    unit_s = int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M).group(1))  # type: ignore[union-attr]
    assert min(grace_s, unit_s) >= drain_s + 15


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "kame-voice.service").read_text()
    unit = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit, flags=re.M)
    unit = re.sub(r"^(User|EnvironmentFile|WorkingDirectory)=.*$", "", unit, flags=re.M)
    (tmp_path / "kame-voice.service").write_text(unit)
    found = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "kame-voice.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
