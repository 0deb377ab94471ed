"""The systemd unit and the Containerfile of the documentation, as far as they can be tried without either."""

import re
import shutil
import subprocess
import sys

import pytest
from tests.meta.pages import REPOSITORY, blocks

PAGE = REPOSITORY / "docs" / "how-to" / "run-unattended.md"


def block(title):
    return next(block.text for block in blocks(PAGE) if block.title == title)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_well_shut_in(tmp_path):
    unit = tmp_path / "mailrules.service"
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", block("mailrules.service")))

    found = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", unit], capture_output=True, check=False
    )

    assert (found.returncode, found.stderr) == (0, "")
    assert exposed.returncode == 0, "the exposure is over 2.5 of 10"


def test_the_container_is_built_of_files_that_are_there():
    copied = re.findall(r"(?m)^COPY (.+) \S+$", block("Containerfile"))

    assert [name for names in copied for name in names.split() if not (REPOSITORY / name).exists()] == []
