"""The programs that mailrules is measured beside, each deciding about the same maildir with an equal rule set."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import rulesets

NOBODY = 65534
"""Who they run as when we are root, which they refuse to be."""


@dataclass(frozen=True)
class Peer:
    """A program: what must be installed, and how to get from rules to a command that runs them over a maildir."""

    name: str
    package: str
    programs: tuple[str, ...]
    prepare: Callable[[Bench, list[rulesets.Line]], list[str]]

    @property
    def installed(self) -> bool:
        return all(shutil.which(program) for program in self.programs)


class Bench:
    """A folder of its own with the maildir of *mail*, and an empty one to learn what starting costs."""

    def __init__(self, folder: Path, mail: Path) -> None:
        self.folder = folder
        self.mail = folder / "Maildir"
        self.empty = folder / "Empty"
        shutil.copytree(mail, self.mail)
        for name in ("cur", "new", "tmp"):
            (self.empty / name).mkdir(parents=True)
        (folder / "home").mkdir()

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def run(self, command: list[str], mail: Path) -> float:
        """Seconds of processor time that *command* takes on the maildir *mail*, children included."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.output(command, mail)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def output(self, command: list[str], mail: Path) -> str:
        """What *command* prints about the maildir *mail*.

        Raises:
            RuntimeError: it failed.
        """
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                if path.stat().st_uid != NOBODY:
                    os.chown(path, NOBODY, NOBODY)
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}
        command = [word.replace("MAILDIR", str(mail)) for word in command]
        ended = subprocess.run(command, env=environment, capture_output=True, check=False, cwd=self.folder, **who)
        if ended.returncode:
            raise RuntimeError(f"{command[0]}: {ended.stderr.decode(errors='replace').strip()[-500:]}")
        return ended.stdout.decode(errors="replace")


_DOVECOT = """
base_dir = {folder}/run
log_path = /dev/null
mail_location = maildir:{mail}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
ssl = no
plugin {{
  sieve_extensions = +regex +body
}}
"""


def _sieve(bench: Bench, rules: list[rulesets.Line]) -> list[str]:
    """Executed, so that nothing is printed, with `keep` in the place of each move: it decides and leaves the mail."""
    script = bench.write("rules.sieve", rulesets.to_sieve(rules, act="keep; stop;"))
    user, group = (NOBODY, NOBODY) if os.getuid() == 0 else (os.getuid(), os.getgid())
    for mail in (bench.mail, bench.empty):
        text = _DOVECOT.format(folder=bench.folder, mail=mail, user=user, group=group)
        bench.write(f"{mail.name}.conf", text)
    bench.run(["sievec", "-c", f"{bench.mail}.conf", script], bench.mail)
    return ["sieve-filter", "-c", "MAILDIR.conf", "-e", script, "INBOX"]


def _fdm(bench: Bench, rules: list[rulesets.Line]) -> list[str]:
    for mail in (bench.mail, bench.empty):
        account = f'account "here" maildir "{mail}"\n'
        bench.write(f"{mail.name}.fdm", account + rulesets.to_fdm(rules) + 'match all action "keep"\n')
    return ["fdm", "-q", "-m", "-f", "MAILDIR.fdm", "fetch"]


def sieve_folders(bench: Bench, rules: list[rulesets.Line]) -> dict[str, str | None]:
    """The folder that sieve-filter would move each message to, by Message-ID; None where it leaves it."""
    command = _sieve(bench, rules)
    script = bench.write("moving.sieve", rulesets.to_sieve(rules))
    told = bench.output([command[0], "-c", "MAILDIR.conf", script, "INBOX"], bench.mail)
    return {
        re.search(r"ID: +(\S+)", each)[1]: (found := re.search(r"in folder: (f\d)", each)) and found[1]
        for each in told.split(">> Filtering message:")[1:]
    }


PEERS = (
    Peer("sieve-filter", "dovecot-sieve", ("sieve-filter", "sievec"), _sieve),
    Peer("fdm", "fdm", ("fdm",), _fdm),
)
