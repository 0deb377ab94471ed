"""Guessing a charset is dear, so a message gets so many guesses and no more."""

from __future__ import annotations

import time

from mailrules.core import charset
from mailrules.core.parse import parse

RUSSIAN = "Добрый день, посылаю вам счёт за прошлый месяц. ".encode("koi8-r") * 40


def mail(parts: int) -> bytes:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\n" + RUSSIAN + b"\r\n"
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * parts + b"--b--\r\n"


def test_a_text_without_a_charset_is_read_by_a_guess():
    message = parse(mail(1))

    assert "посылаю вам счёт" in message.text
    assert message.defects == ()


def test_beyond_the_limit_nothing_is_guessed_and_nothing_is_certain():
    message = parse(mail(charset.GUESSES + 1))

    assert message.text.count("посылаю вам счёт") == 40 * charset.GUESSES
    assert [defect.word for defect in message.defects] == ["too-many-guesses"]
    assert message.undecodable


def test_a_thousand_such_parts_cost_little_more_than_those_that_are_guessed():
    start = time.process_time()
    _ = parse(mail(1_000)).text

    assert time.process_time() - start < 4
