"""Where the journal is, as an admin writes it."""

from __future__ import annotations

from mailrules.config.document import Node
from mailrules.config.findings import Findings

_KINDS = ("sqlite", "postgresql")
_HELP = "write sqlite:///journal.sqlite3, or postgresql+psycopg://user@host/database"
_INSTALL = "pip install 'mailrules[postgres]', and write postgresql+psycopg://"


def check_journal(node: Node, findings: Findings) -> None:
    """Tell of a URL that names no database that can be reached from here."""
    url = node.value
    if not isinstance(url, str) or not url or url.startswith("sqlite:///"):
        return
    from sqlalchemy import make_url
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

    kind = url.partition(":")[0]
    try:
        dialect = make_url(url).get_dialect()
        if dialect.name not in _KINDS:
            findings.add(node.place, "bad-journal", f"'journal': it cannot be kept in '{kind}'", _HELP)
            return
        dialect.import_dbapi()
    except NoSuchModuleError:
        findings.add(node.place, "bad-journal", f"'journal': no database of the kind '{kind}' is known", _HELP)
    except (SQLAlchemyError, ValueError):
        findings.add(node.place, "bad-journal", "'journal': this is no SQLAlchemy URL", _HELP)
    except ImportError as error:
        message = f"'journal': the driver of '{kind}' is not installed here: {error.name}"
        findings.add(node.place, "doubtful-option", message, _INSTALL)
