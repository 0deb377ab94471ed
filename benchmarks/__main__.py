"""Everything that is measured, each in a process of its own: `python -m benchmarks`."""

import subprocess
import sys

ends = [
    subprocess.run([sys.executable, *command], check=False).returncode
    for command in (["benchmarks/parse.py"], ["-m", "benchmarks.offline"])
]
sys.exit(max(ends))
