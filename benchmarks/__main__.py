"""Everything that is measured, or the parts named, each in a process of its own: `python -m benchmarks [PART]...`."""

import subprocess
import sys

PARTS = {
    "parse": ["benchmarks/parse.py"],
    "offline": ["-m", "benchmarks.offline"],
    "imap": ["-m", "benchmarks.imap"],
    "push": ["-m", "benchmarks.push"],
}

wanted = sys.argv[1:] or list(PARTS)
if unknown := set(wanted) - set(PARTS):
    sys.exit(f"no part named {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
ends = [subprocess.run([sys.executable, *PARTS[name]], check=False).returncode for name in wanted]
sys.exit(max(ends))
