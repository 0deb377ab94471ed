"""Who gets nothing, and what becomes of it: the guards of RFC 3834."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.actions.letters import ACTIONS, OURS, own, raw_mail, sent

from mailrules.api import Permanent, Withheld, build_options
from mailrules.api.guard import loop_token
from mailrules.builtin.action.conversation import MOST_ANSWERED
from mailrules.builtin.action.forward import FORWARD
from mailrules.builtin.action.redirect import REDIRECT
from mailrules.builtin.action.reply import REPLY
from mailrules.builtin.action.send import SEND
from mailrules.testing.context import message_of

SILENT = {
    "a null return path": (("Return-Path: <>",), "return path is null"),
    "a bounce": (("Content-Type: multipart/report; report-type=delivery-status; boundary=b",), "kind 'bounce'"),
    "a receipt": (
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b",),
        "kind 'receipt'",
    ),
    "a list": (("List-Id: <news.acme.example>",), "kind 'list'"),
    "bulk": (("Precedence: bulk",), "kind 'bulk'"),
    "an auto-reply": (("Auto-Submitted: auto-replied",), "kind 'auto-reply'"),
    "an auto-generated mail": (("Auto-Submitted: auto-generated",), "kind 'auto-reply'"),
    "out of office": (("Auto-Submitted: auto-replied", "X-Autoreply: yes"), "kind 'out-of-office'"),
    "wanting no answers": (("X-Auto-Response-Suppress: OOF, AutoReply",), "no automatic answers"),
    "our own coming back": ((f"X-Loop-Token: {loop_token(OURS)}",), "own loop token"),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("headers", "says"), SILENT.values(), ids=SILENT)
def test_nothing_automatic_goes_back_to(run, context, action, headers, says):
    with pytest.raises(Withheld, match=says):
        run(*ACTIONS[action], raw_mail(*headers))
    assert context.untouched()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("sender", "says"),
    [
        ("noreply@acme.example", "takes no answers"),
        ("no-reply+17@acme.example", "takes no answers"),
        ("orders-do-not-reply@acme.example", "takes no answers"),
        ("nicht-antworten@acme.example", "takes no answers"),
        ("MAILER-DAEMON@acme.example", "takes no answers"),
        ("owner-news@acme.example", "takes no answers"),
        ("sales@desk.example", "one of our own addresses"),
        (OURS.upper(), "own address"),
    ],
)
def test_nothing_automatic_goes_to(run, context, action, sender, says):
    with pytest.raises(Withheld, match=says):
        run(*ACTIONS[action], raw_mail(sender=sender), own=[OURS, "sales@desk.example"])
    assert context.untouched()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "sender", ["ada@münchen.example", "ada@xn--MNCHEN-3ya.example", '"ada"@acme.example', '"a\\da"@acme.example']
)
def test_who_wrote_is_known_however_the_address_is_written(run, context, action, sender):
    with pytest.raises(Withheld, match="kind 'auto-reply'"):
        run(*ACTIONS[action], raw_mail("Auto-Submitted: auto-replied", sender=sender))
    assert context.untouched()


def test_one_of_our_own_addresses_is_known_in_another_script(run, context):
    raw = raw_mail(sender="desk@münchen.example")
    with pytest.raises(Withheld, match="one of our own addresses"):
        run(REPLY, {"text": "x"}, raw, own=[OURS, "desk@xn--mnchen-3ya.example"])


@pytest.mark.parametrize("sender", ["noreen@acme.example", "reply@acme.example", "bob.owner@acme.example"])
def test_names_that_only_look_alike_are_answered(run, context, sender):
    run(REPLY, {"text": "x"}, raw_mail(sender=sender))

    assert sent(context)[1] == (sender,)


@pytest.mark.parametrize("name", [name for name in SILENT if name != "our own coming back"])
@pytest.mark.parametrize(
    ("action", "options"),
    [
        (SEND, {"from": OURS, "to": "desk@desk.example"}),
        (FORWARD, {"to": "desk@desk.example"}),
        (REDIRECT, "desk@desk.example"),
    ],
    ids=["send", "forward", "redirect"],
)
def test_a_desk_is_told_of_any_mail(run, context, action, options, name):
    run(action, options, raw_mail(*SILENT[name][0]))

    assert sent(context)[1] == ("desk@desk.example",)


@pytest.mark.parametrize("action", [FORWARD, REDIRECT], ids=lambda action: action.name)
@pytest.mark.parametrize(
    ("headers", "to", "says"),
    [
        ((f"X-Loop-Token: {loop_token(OURS)}",), "desk@desk.example", "own loop token"),
        ((), OURS, "own address"),
        (("List-Id: <news.acme.example>",), "ada@acme.example", "kind 'list'"),
    ],
)
def test_a_message_that_cannot_travel_on_is_for_a_person_to_see(run, context, action, headers, to, says):
    with pytest.raises(Permanent, match=f"not sent on: .*{says}"):
        run(action, {"to": to}, raw_mail(*headers))
    assert context.untouched()


@pytest.mark.parametrize(("action", "options"), [(FORWARD, {"to": "desk@desk.example"}), (REDIRECT, "x@desk.example")])
def test_a_message_that_the_edge_keeps_back_is_for_a_person_to_see(tmp_path, context, action, options):
    def capped(*_args, **_named):
        raise Withheld("x@desk.example has had 10 automatic mails (cap)")

    message = message_of(raw_mail())
    built = action.build(build_options(action.options, options, root=tmp_path))
    with pytest.raises(Permanent, match=r"not sent on: .*cap"):
        built.run(message, own(message), replace(context, send=capped))


def report(failed, status="5.1.1", action="failed"):
    """A delivery report (RFC 3464)."""
    boundary = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
    group = f"Final-Recipient: rfc822; {failed}\nAction: {action}\nStatus: {status}\n"
    text = f"--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n{group}\n--b--\n"
    return raw_mail(boundary, sender="MAILER-DAEMON@mx.example", text=text)


@pytest.mark.parametrize("raw", [report("Desk@desk.example"), report("desk@desk.example", "4.4.1", "delayed")])
@pytest.mark.parametrize(
    ("action", "options", "kept"),
    [
        (SEND, {"from": OURS, "to": "desk@desk.example"}, Withheld),
        (FORWARD, {"to": "desk@desk.example"}, Permanent),
        (REDIRECT, "desk@desk.example", Permanent),
    ],
    ids=["send", "forward", "redirect"],
)
def test_whom_a_report_says_that_mail_does_not_reach_is_sent_none_because_of_it(
    run, context, action, options, kept, raw
):
    with pytest.raises(kept, match=r"this report says that desk@desk\.example is not reached"):
        run(action, options, raw)
    assert context.untouched()


def test_anybody_else_is_told_of_a_report(run, context):
    run(FORWARD, {"to": "desk@desk.example"}, report("customer@acme.example"))

    assert sent(context)[1] == ("desk@desk.example",)


@pytest.mark.parametrize("action", ["reply", "acknowledge"])
def test_a_stranger_cannot_name_a_crowd_to_be_written_to(run, context, action):
    crowd = ", ".join(f"v{at}@victim.example" for at in range(MOST_ANSWERED + 1))
    with pytest.raises(Withheld, match="Reply-To of the message names 26 addresses"):
        run(*ACTIONS[action], raw_mail(f"Reply-To: {crowd}"))
    with pytest.raises(Withheld, match="To and Cc of the message names 26 addresses"):
        run(REPLY, {"text": "x", "to_all": True}, raw_mail(f"Cc: {crowd}"))
    assert context.untouched()


def test_a_mailbox_that_is_named_twice_is_answered_once(run, context):
    run(REPLY, {"text": "x"}, raw_mail('Reply-To: jo@acme.example, "jo"@ACME.example'))

    assert sent(context)[1] == ("jo@acme.example",)


NAME = "{{ message.author.name }}"


@pytest.mark.parametrize("to", [f"{NAME} <desk@desk.example>", f"a@desk.example, {NAME} <b@desk.example>"])
@pytest.mark.parametrize(
    ("action", "options"), [(SEND, {"from": OURS}), (FORWARD, {}), (REDIRECT, {})], ids=["send", "forward", "redirect"]
)
def test_a_name_makes_no_recipients(run, context, action, options, to):
    raw = raw_mail(sender='"v@victim.example, w@victim.example, Ada" <ada@acme.example>')
    with pytest.raises(Permanent, match="would make more addresses of it"):
        run(action, {**options, "to": to}, raw)
    assert context.untouched()


def test_an_ordinary_name_may_stand_before_an_address(run, context):
    run(SEND, {"from": OURS, "to": f"a@desk.example, {NAME} <desk@desk.example>"}, raw_mail())

    assert sent(context)[1] == ("a@desk.example", "desk@desk.example")


def test_an_expression_by_itself_may_give_several(run, context):
    run(
        SEND,
        {"from": OURS, "to": "{{ message.addresses('To') | addresses }}"},
        raw_mail("To: a@b.example, c@d.example"),
    )

    assert sent(context)[1] == ("a@b.example", "c@d.example")
