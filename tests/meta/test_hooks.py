"""Every hook is told of, and every hook is really called."""

import inspect
import re
import textwrap

import pytest
from tests.meta.pages import REPOSITORY, blocks
from tests.meta.shell import run_mailrules

from mailrules import api, hookspecs, testing
from mailrules.registry import load_registry

HOOKS = {name: value for name, value in vars(hookspecs).items() if name.startswith("mailrules_")}
GUIDE = REPOSITORY / "docs" / "plugin-guide.md"
FULL = textwrap.dedent(
    """
    from pathlib import Path

    from mailrules.api import hookimpl


    def called(name):
        with Path("called").open("a") as file:
            file.write(name + chr(10))


    @hookimpl
    def mailrules_protocols():
        called("mailrules_protocols")
        yield from ()


    @hookimpl
    def mailrules_auths():
        called("mailrules_auths")
        yield from ()


    @hookimpl
    def mailrules_actions():
        called("mailrules_actions")
        yield from ()


    @hookimpl
    def mailrules_unpackers():
        called("mailrules_unpackers")
        yield from ()


    @hookimpl
    def mailrules_recorded(entry):
        called("mailrules_recorded")
    """
)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A new workspace with one message waiting, where no installed plugin is loaded."""
    monkeypatch.setenv("MAILRULES_PLUGINS", "")
    monkeypatch.delenv("MAILRULES_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert run_mailrules("init")[0] == 0
    (tmp_path / "plugins").mkdir()
    return tmp_path


def called(workspace):
    file = workspace / "called"
    return set(file.read_text().split()) if file.exists() else set()


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_says_what_it_is_for_and_shows_an_example(hook):
    told = inspect.getdoc(HOOKS[hook])

    assert "Example:" in told
    assert f"def {hook}(" in told


@pytest.mark.parametrize("hook", HOOKS)
def test_the_plugin_guide_implements_a_hook_with_the_arguments_it_has(hook):
    shown = "".join(block.text for block in blocks(GUIDE) if block.kind == "python")
    parameters = ", ".join(inspect.signature(HOOKS[hook]).parameters)

    assert re.search(rf"@hookimpl\ndef {hook}\({parameters}\):", shown)
    assert f"| `{hook}` |" in GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize("module", [api, testing], ids=lambda module: module.__name__)
def test_the_plugin_guide_ends_with_every_name_there_is(module):
    _, _, after = GUIDE.read_text(encoding="utf-8").partition(f"## Everything in {module.__name__}\n")
    table = after.partition("\n## ")[0]
    first_cells = "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", first_cells)) == set(module.__all__)


def test_a_run_calls_every_hook(workspace):
    (workspace / "plugins" / "full.py").write_text(FULL)

    code, printed = run_mailrules("run", "--once")

    assert code == 0, printed
    assert called(workspace) == set(HOOKS)


@pytest.mark.parametrize("command", ["check", "dry-run", "test"])
def test_what_changes_nothing_tells_no_observer(command, workspace):
    (workspace / "plugins" / "full.py").write_text(FULL)

    assert run_mailrules(command)[0] == 0
    assert called(workspace) == set(HOOKS) - {"mailrules_recorded"}


def test_an_observer_that_raises_changes_nothing(workspace):
    (workspace / "plugins" / "full.py").write_text(
        FULL.replace('called("mailrules_recorded")', 'raise RuntimeError("no")')
    )

    code, printed = run_mailrules("run", "--once")

    assert code == 0, printed
    assert "nothing depends on it" in printed
    assert "nothing new" in run_mailrules("run", "--once")[1]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def broken(:", "SyntaxError"),
        (
            FULL.replace("def mailrules_auths", "def mailrules_authz"),
            "there is no hook 'mailrules_authz': did you mean 'mailrules_auths'?",
        ),
        (FULL.replace("yield from ()", "raise ValueError('now')"), "mailrules_protocols raised ValueError: now"),
        (FULL.replace("yield from ()", "yield 7"), "mailrules_protocols gave a int, which is no descriptor"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (a_broken.py:2)"),
        ("raise ValueError", "ValueError (a_broken.py:1)"),
        (
            FULL.replace("@hookimpl\ndef mailrules_auths", "def mailrules_auths"),
            "mailrules_auths has no @hookimpl above it",
        ),
        (FULL.replace("(entry)", "(entri)"), "write def mailrules_recorded(entry)"),
        (FULL.replace("yield from ()", "raise SystemExit"), "mailrules_protocols raised SystemExit"),
    ],
    ids=[
        "import",
        "syntax",
        "misspelt-hook",
        "hook-raises",
        "yields-nonsense",
        "exits",
        "says-nothing",
        "unmarked",
        "other-arguments",
        "hook-exits",
    ],
)
def test_a_broken_plugin_is_named_with_its_reason_and_the_others_are_there(source, reason, workspace):
    (workspace / "plugins" / "a_broken.py").write_text(source)
    (workspace / "plugins" / "b_good.py").write_text(FULL)

    registry = load_registry(workspace)

    told = [f"{broken.plugin}: {broken.reason}" for broken in registry.broken]
    assert any(line.startswith("plugins/a_broken.py: ") and reason in line for line in told), told
    assert {"imap", "maildir"} <= registry.receive.keys()
    assert called(workspace) >= {"mailrules_protocols", "mailrules_auths", "mailrules_actions"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("name='ring', options=dict, build=print", "the options of the ActionType 'ring' are dict, and no subclass"),
        ("name='ring', options=Odd, build=print", "the options of the ActionType 'ring' have no schema: "),
        ("name='ring', options=Options, build=None", "the ActionType 'ring' has nothing that can be called: None"),
        ("name='Ring it', options=Options, build=print", "the ActionType 'Ring it' has no name that can be written"),
        ("name=7, options=Options, build=print", "the ActionType 7 has no name that can be written"),
    ],
)
def test_a_descriptor_that_cannot_be_used_is_a_warning_and_the_rest_goes_on(arguments, reason, workspace):
    source = f"""
        from mailrules.api import ActionType, Options, hookimpl

        class Odd(Options, frozen=True):
            what: object()

        @hookimpl
        def mailrules_actions():
            yield ActionType(summary="One.", {arguments})
            yield ActionType(name="bell", summary="Another.", options=Options, build=print)
        """
    (workspace / "plugins" / "odd.py").write_text(textwrap.dedent(source))

    code, printed = run_mailrules("check")

    assert code == 0, printed
    assert f"warning[broken-plugin]: plugin plugins/odd.py could not be loaded: {reason}" in printed
    assert "bell" in load_registry(workspace).actions


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("types='application/zip'", "the types of the Unpacker 'crate' are a text: write ('application/zip',)"),
        ("names=('*.ZIP',)", "the names of the Unpacker 'crate' are compared in small letters: write '*.zip'"),
        ("", "the Unpacker 'crate' opens nothing: it has neither types nor names"),
    ],
)
def test_an_unpacker_that_would_open_nothing_is_told_of(arguments, reason, workspace):
    source = f"""
        from mailrules.api import Unpacker, hookimpl

        @hookimpl
        def mailrules_unpackers():
            yield Unpacker(name="crate", summary="Files.", unpack=list, {arguments})
        """
    (workspace / "plugins" / "crate.py").write_text(textwrap.dedent(source))

    assert [broken.reason for broken in load_registry(workspace).broken] == [reason]


def test_who_only_looks_on_is_listed_too(workspace):
    (workspace / "plugins" / "full.py").write_text(FULL)

    listed = [line for line in run_mailrules("plugins")[1].splitlines() if line.startswith("observer")]

    assert len(listed) == 1
    assert "plugins/full.py" in listed[0]


def test_two_plugins_that_give_one_name_are_both_named(workspace):
    taken = textwrap.dedent(
        """
        from mailrules.api import ActionType, Options, hookimpl

        @hookimpl
        def mailrules_actions():
            yield ActionType(name="save", summary="Another.", options=Options, build=lambda options: None)
        """
    )
    (workspace / "plugins" / "taken.py").write_text(taken)

    registry = load_registry(workspace)

    assert [(str(b.plugin), b.word) for b in registry.broken] == [("plugins/taken.py", "plugin-clash")]
    assert "'save' is already given by mailrules" in registry.broken[0].reason
    assert registry.actions["save"].item.summary != "Another."
