"""`mailrules plugins`, `mailrules schema` and `mailrules completion`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest


def test_everything_that_ships_is_listed_with_its_kind_and_plugin(run, workspace):
    told = run("plugins", "--json")

    names = {(each["kind"], each["name"]) for each in told.json["plugins"]}
    assert told.code == 0
    assert {("receive", "maildir"), ("send", "outbox"), ("auth", "password"), ("action", "save")} <= names
    assert {each["plugin"].rpartition(" ")[0] for each in told.json["plugins"] if each["name"] == "maildir"} == {
        "mailrules.builtin.receive"
    }


def test_the_list_has_a_line_for_each(run, workspace):
    rows = [line.split() for line in run("plugins").out.splitlines()]

    assert ["receive", "maildir"] in [row[:2] for row in rows]


def test_the_options_of_one_are_shown_with_what_they_mean(run, workspace):
    told = run("plugins", "imap")

    rows = {line.split()[0]: line.split() for line in told.out.splitlines() if line}
    assert rows["host"][1:3] == ["string", "required"]
    assert rows["security"][1:7] == ["none", "|", "starttls", "|", "tls", "tls"]


def test_a_broken_plugin_is_named_with_its_reason_and_the_others_are_there(run, workspace):
    Path("plugins").mkdir()
    Path("plugins/broken.py").write_text("import no_such_module_here\n")

    told = run("plugins")

    assert told.code == 1
    assert "broken: plugins/broken.py: ModuleNotFoundError: No module named 'no_such_module_here'" in told.out
    assert "maildir" in told.out


def test_a_mistake_in_a_plugin_is_told_with_its_line(run, workspace):
    Path("plugins").mkdir()
    Path("plugins/broken.py").write_text("import os\n\nno_such_name\n")

    told = run("plugins")

    assert "broken: plugins/broken.py: NameError: name 'no_such_name' is not defined (broken.py:3)" in told.out


def test_a_span_of_time_is_shown_with_its_default(run, workspace):
    rows = {line.split()[0]: line.split() for line in run("plugins", "imap").out.splitlines() if line}

    assert rows["timeout"][1:3] == ["string", "30s"]


def test_a_name_nearly_right_gets_what_was_meant(run, workspace):
    assert "did you mean 'maildir'?" in run("plugins", "maildri").err


@pytest.mark.parametrize("kind", ["mailrules", "rules", "tests"])
def test_each_schema_is_a_schema(run, workspace, kind):
    jsonschema.Draft202012Validator.check_schema(run("schema", kind).json)


def test_all_of_them_are_written(run, workspace, tmp_path):
    told = run("schema", "--write", tmp_path / "out")

    assert told.code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "mailrules.schema.json",
        "rules.schema.json",
        "tests.schema.json",
    ]


def test_a_schema_wants_its_kind_or_where_to_write(run, workspace):
    assert run("schema").code == 2
    assert run("schema", "rules", "--write", "x").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_calls_back(run, shell):
    told = run("completion", shell)

    assert told.code == 0
    assert "_MAILRULES_COMPLETE" in told.out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("mailrules r", ["run", "retry"]),
        ("mailrules run in", ["inbox"]),
        ("mailrules log --rule w", ["welcome"]),
        ("mailrules plugins mail", ["maildir"]),
        ("mailrules explain x.eml --listener ", ["inbox"]),
        ("mailrules log ", ["1"]),
        ("mailrules retry ", []),
    ],
)
def test_names_and_numbers_are_completed(run, workspace, typed, offered):
    run("run", "--once")
    words = typed.split(" ")

    completed = subprocess.run(
        [sys.executable, "-c", "from mailrules.cli.main import main; main()"],
        env={
            **os.environ,
            "_MAILRULES_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert [line.partition(",")[2] for line in completed.stdout.split()] == offered
    assert completed.stderr == ""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_what_a_mail_holds_cannot_steer_the_shell_that_completes(run, workspace, shell):
    (mail,) = (path for path in workspace.rglob("*") if path.parent.name in {"new", "cur"})
    header, _, body = mail.read_bytes().partition(b"\n\n")
    kept = [line for line in header.split(b"\n") if not line.lower().startswith(b"subject:")]
    mail.write_bytes(b"\n".join([*kept, b"Subject: =?utf-8?q?welcome=1B]0;mine=07?="]) + b"\n\n" + body)
    run("run", "--once")

    completed = subprocess.run(
        [sys.executable, "-c", "from mailrules.cli.main import main; main()"],
        env={
            **os.environ,
            "_MAILRULES_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": "mailrules log ",
            "COMP_CWORD": "2" if shell == "zsh" else "",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert "welcome" in completed.stdout
    assert "\x1b" not in completed.stdout
    assert "\x07" not in completed.stdout


def test_completion_outside_of_a_workspace_offers_nothing_and_says_nothing(tmp_path):
    completed = subprocess.run(
        [sys.executable, "-c", "from mailrules.cli.main import main; main()"],
        cwd=tmp_path,
        env={
            **os.environ,
            "_MAILRULES_COMPLETE": "bash_complete",
            "COMP_WORDS": "mailrules run ",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (completed.stdout.strip(), completed.stderr) == ("", "")
    assert not list(tmp_path.iterdir())


def test_json_of_one_plugin_holds_its_options(run, workspace):
    told = json.loads(run("plugins", "save", "--json").out)

    assert "attachments" in json.dumps(told["plugins"][0]["options"])
