"""A workspace of fourteen listeners kept running while everything around it fails, and what is left of it.

    make reliability                     15 minutes
    make reliability SECONDS=60          a minute and a half in all, as the tests do

Exit code 1 says that a message was lost, done twice, or that a listener did not come back.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.reliability.page import page
from benchmarks.reliability.run import run


def main() -> int:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--seconds", type=float, default=900, help="how long mail arrives (900)")
    parser.add_argument("--rate", type=float, default=2.5, help="messages a second, all mailboxes together (2.5)")
    parser.add_argument("--idle", action="store_true", help="IMAP listeners wait for the server's notice")
    parser.add_argument("--every", default="2s", help="the pause between the passes of the others (2s)")
    parser.add_argument("--keep", type=Path, help="copy the workspace with its log here at the end")
    parser.add_argument("--write", type=Path, help="the page to write the result into")
    parser.add_argument("--json", type=Path, help="the file to write the figures into")
    said = parser.parse_args()
    result = run(said.seconds, rate=said.rate, idle=said.idle, every=said.every, keep=said.keep)
    text = page(result)
    print(text)
    if said.write:
        said.write.write_text(text)
    if said.json:
        said.json.write_text(json.dumps(result.figures(), indent=1))
    for complaint in result.complaints:
        print(f"WRONG: {complaint}", file=sys.stderr)
    return 1 if result.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
