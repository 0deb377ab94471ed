"""Containers among the attachments: what is in them is an attachment like any other, and what is wrong a defect."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from tests.meta.execute import NOW
from tests.meta.shell import run_mailrules

from mailrules.config.load import load_rules, load_workspace
from mailrules.core import unpacking
from mailrules.core.match import evaluate
from mailrules.core.parse import parse
from mailrules.model.condition import Verdict
from mailrules.model.message import Trust
from mailrules.model.unpack import Unpacked, Unpacker


def lines(content: bytes) -> list[Unpacked]:
    """A container of this test: a line a file, `name type content-id content`."""
    files = []
    for line in content.decode("ascii").splitlines():
        name, media_type, content_id, text = line.split(maxsplit=3)
        files.append(Unpacked(name, text.encode(), media_type, content_id.strip("-")))
    return files


def unpacker(unpack=lines, **changes) -> Unpacker:
    described = {"name": "lines", "summary": "", "types": ("application/x-lines",), "names": ("*.lines",)}
    return Unpacker(unpack=unpack, **(described | changes))


def message(content: bytes, *, using=None, name="box.lines", media_type="application/octet-stream"):
    mail = EmailMessage()
    mail.set_content("See what is in it.")
    maintype, _, subtype = media_type.partition("/")
    mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    mail.add_attachment(b"last", maintype="image", subtype="png", filename="last.png")
    return parse(mail.as_bytes(), trust=Trust(unpackers=(using or unpacker(),)))


def shown(found) -> list[str]:
    return [f"{part.name} {part.type} {part.kind} {part.size} {part.origin}".strip() for part in found.attachments]


def verdict(condition: str, found) -> Verdict:
    ruleset, diagnostics = load_rules(f"version: 1\nrules: [{{name: r, match: {condition}}}]\n")
    assert ruleset is not None, diagnostics
    return evaluate(ruleset.rules[0].condition, found, NOW)


CONTENT = b"bill.pdf Application/PDF - hello\nlogo.png image/png logo@x shown\nmeet.ics text/calendar - BEGIN\n"


def test_what_is_in_a_container_stands_behind_it_and_says_from_where():
    assert shown(message(CONTENT)) == [
        "box.lines application/octet-stream file 96",
        "bill.pdf application/pdf file 5 box.lines, unpacked by lines",
        "logo.png image/png inline 5 box.lines, unpacked by lines",
        "meet.ics text/calendar calendar 5 box.lines, unpacked by lines",
        "last.png image/png file 4",
    ]
    assert [part.content() for part in message(CONTENT).attachments][1:3] == [b"hello", b"shown"]


@pytest.mark.parametrize(
    ("name", "media_type", "opened"),
    [
        ("BOX.LINES", "application/octet-stream", True),
        ("box", "application/x-lines", True),
        ("box.txt", "application/octet-stream", False),
    ],
)
def test_it_is_known_by_its_type_or_by_its_name_in_any_case(name, media_type, opened):
    found = message(CONTENT, name=name, media_type=media_type)

    assert (len(found.attachments) == 5) is opened


def test_rules_see_what_is_in_it():
    found = message(CONTENT)

    assert verdict("{attachment: bill.pdf}", found) is Verdict.YES
    assert verdict("{attachment: {kind: calendar}}", found) is Verdict.YES
    assert verdict("{none: [{attachment: '*.exe'}]}", found) is Verdict.YES
    assert found.defects == ()


def raises(_content):
    raise RuntimeError("it is damaged")


def gives_nonsense(_content):
    return 7


@pytest.mark.parametrize(
    ("unpack", "told"),
    [
        (raises, "box.lines, by lines: RuntimeError: it is damaged"),
        (gives_nonsense, "box.lines, by lines: TypeError: 'int' object is not iterable"),
        (lambda _: ["a.pdf"], "box.lines, by lines: TypeError: it gave a str, which is no Unpacked"),
        (lambda _: [Unpacked("a", b"")] * (unpacking.MOST + 1), "box.lines: more is in it than is unpacked"),
        (lambda _: [Unpacked("a", bytes(unpacking.LARGEST + 1))], "box.lines: more is in it than is unpacked"),
    ],
    ids=["raises", "nonsense", "wrong items", "too many", "too large"],
)
def test_what_cannot_be_unpacked_is_a_defect_and_unknown(unpack, told):
    found = message(CONTENT, using=unpacker(unpack))

    assert found.attachments[0].name == "box.lines"
    assert found.attachments[-1].name == "last.png"
    assert len(found.attachments) <= unpacking.MOST + 2
    assert [(defect.word, defect.detail) for defect in found.defects] == [("cannot-unpack", told)]
    assert verdict("{attachment: bill.pdf}", found) is Verdict.UNKNOWN
    assert verdict("{none: [{attachment: bill.pdf}]}", found) is Verdict.UNKNOWN
    assert verdict("{attachment: last.png}", found) is Verdict.YES


def test_a_container_is_opened_once_and_not_for_the_text():
    opened = []

    def counting(content):
        opened.append(content)
        return lines(content)

    found = message(CONTENT, using=unpacker(counting))

    assert (found.text.strip(), opened) == ("See what is in it.", [])
    assert len(found.attachments) == len(found.attachments) == 5
    assert opened == [CONTENT]


PLUGIN = """
from mailrules.api import Unpacked, Unpacker, hookimpl


@hookimpl
def mailrules_unpackers():
    yield Unpacker(
        name="lines",
        summary="Lines as files.",
        types=("application/x-lines",),
        names=("*.lines",),
        unpack=lambda content: [Unpacked("a.txt", content)],
    )
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Where a plugin gives an unpacker, and an account uses it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILRULES_WORKSPACE", raising=False)
    monkeypatch.setenv("MAILRULES_PLUGINS", "")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "lines.py").write_text(PLUGIN)
    (tmp_path / "mailrules.yaml").write_text("version: 1\naccounts: {a: {receive: {eml: inbox}}}\n")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("version: 1\nrules: [{name: text, match: {attachment: '*.txt'}}]\n")
    (tmp_path / "rules" / "a.test.yaml").write_text(
        "cases:\n  - name: what is in it is seen\n    mail: {attachments: [{name: b.lines, content: x}]}\n"
        "    expect: {rule: text}\n"
    )
    return tmp_path


def test_the_command_lists_unpackers_and_what_they_open(workspace):
    assert "Lines as files." in run_mailrules("plugins")[1]
    assert "It opens attachments of: application/x-lines, *.lines" in run_mailrules("plugins", "lines")[1]
    assert '"types"' in run_mailrules("plugins", "lines", "--json")[1]


def test_cases_of_rules_see_what_is_in_a_container(workspace):
    code, printed = run_mailrules("test")

    assert code == 0, printed


def test_an_account_hands_them_to_its_messages(workspace):
    loaded = load_workspace(workspace).workspace

    assert loaded is not None
    assert [each.name for each in loaded.accounts["a"].trust.unpackers] == ["lines"]
