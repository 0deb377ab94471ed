"""The public face has types that a strict checker takes."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "typing" / "library.py"


def test_what_a_developer_writes_passes_mypy_strict(tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(EXAMPLE)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
