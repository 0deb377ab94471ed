"""What is found wrong with a message while it is read: recorded, never raised."""

from __future__ import annotations

from mailrules.model.message import Defect

MOST = 20
"""Recorded of one word; a message with ten thousand broken parts need not say so ten thousand times."""


class Defects:
    """The defects of one message in the order of discovery, each once.

    | word                   | what was wrong                                                              |
    |------------------------|-----------------------------------------------------------------------------|
    | no-header              | nothing in it looks like a header field: all of it is body                  |
    | no-blank-line          | the body follows the header without the empty line between them             |
    | mbox-from              | an mbox `From ` line stands on top                                          |
    | bad-header-line        | a line among the fields is neither a field nor a continuation               |
    | header-too-long        | the header block exceeds the limit and was read up to it                    |
    | nul                    | NUL octets in a header were left out                                        |
    | raw-8bit               | octets outside ASCII in a header that are not UTF-8                         |
    | bad-encoded-word       | an RFC 2047 encoded word is damaged                                         |
    | unknown-charset        | a charset nobody knows                                                      |
    | wrong-charset          | the text is not in the charset that is declared                             |
    | too-many-guesses       | texts of no known charset, beyond those for which one was guessed           |
    | undecodable-text       | octets that no charset explains were replaced by U+FFFD                     |
    | bad-base64             | characters outside the alphabet, or padding missing or in the middle        |
    | bad-uuencode           | a line of uuencoded text is damaged                                         |
    | unknown-encoding       | a Content-Transfer-Encoding nobody knows: taken as it stands                |
    | boundary-guessed       | a multipart with no or a never-seen boundary, split at the one that is seen |
    | boundary-missing       | a multipart in which no boundary is to be found: read as text               |
    | boundary-unclosed      | the closing boundary is missing                                             |
    | too-deep               | parts nested beyond the limit were not looked into                          |
    | too-many-parts         | parts beyond the limit were left out                                        |
    | cannot-unpack          | a container among the attachments stays closed, or holds more than the limit |
    | text-too-long          | text beyond the limit was left out                                          |
    | bad-date               | the Date header cannot be read                                              |
    | duplicate-header       | a header that may stand once stands there several times                     |
    """

    __slots__ = ("_found", "_words", "guesses")

    def __init__(self) -> None:
        self._found: dict[Defect, None] = {}
        self._words: dict[str, int] = {}
        self.guesses = 0
        """Charsets that had to be guessed."""

    def add(self, word: str, detail: str = "") -> None:
        """Record one; a repetition and everything past the limit is ignored."""
        defect = Defect(word, detail)
        if defect not in self._found and self._words.get(word, 0) < MOST:
            self._found[defect] = None
            self._words[word] = self._words.get(word, 0) + 1

    def all(self) -> tuple[Defect, ...]:
        """What has been found so far."""
        return tuple(self._found)

    def extend(self, others: Defects) -> None:
        """Record all of *others* too."""
        for defect in others.all():
            self.add(defect.word, defect.detail)
