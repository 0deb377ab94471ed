"""Files of a workspace opened and read, each once."""

from __future__ import annotations

from pathlib import Path

from mailrules.config.document import Node, Place, Source
from mailrules.config.findings import Findings
from mailrules.config.reader import Reader
from mailrules.model.span import Span


class Files:
    """The YAML files under a root folder, by the names that an admin gives them."""

    def __init__(self, root: Path, findings: Findings) -> None:
        self.root = root
        self._findings = findings
        self._read: dict[str, Node | None] = {}

    def read(self, name: str, *, named_at: Place | None = None) -> Node | None:
        """The document in a file; None and diagnostics when it cannot be read. `named_at` is where it is named."""
        name = Path(name).as_posix()
        self._findings.files.add(name)
        if name not in self._read:
            self._read[name] = self._load(name, named_at)
        return self._read[name]

    def _load(self, name: str, named_at: Place | None) -> Node | None:
        try:
            raw = (self.root / name).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            place: Place | Span = named_at or Span(name)
            self._findings.add(
                place, "no-file", f"the file '{name}' cannot be read: {reason}", self._cure(name, named_at)
            )
            return None
        return parse(raw, name, self._findings)

    def _cure(self, name: str, named_at: Place | None) -> str:
        if named_at:
            return "paths start at the folder of mailrules.yaml"
        return "mailrules init writes a workspace" if name == "mailrules.yaml" else f"it is looked for in {self.root}"


def parse(raw: bytes | str, name: str, findings: Findings) -> Node | None:
    """The document in *raw*, called *name*; None and diagnostics when there is none."""
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
    except UnicodeDecodeError as error:
        source = Source(name, error.object[: error.start].decode("utf-8") + "\N{REPLACEMENT CHARACTER}")
        place = Place(source, len(source.text) - 1, len(source.text))
        byte = f"0x{error.object[error.start]:02X}"
        findings.add(place, "not-utf8", f"the byte {byte} is not UTF-8", "save the file in UTF-8")
        return None
    source = Source(name, text.removeprefix("\N{BYTE ORDER MARK}"))
    findings.knows(source)
    before = findings.errors
    node = Reader(source, findings).read()
    if (node is None or node.value is None) and findings.errors == before:
        findings.add(Place(source, 0, 0), "empty-file", f"the file '{name}' is empty", "it starts with: version: 1")
        return None
    return node
