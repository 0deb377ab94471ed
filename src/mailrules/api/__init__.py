"""Everything a plugin may import: `from mailrules.api import ...`.

A plugin yields frozen descriptors from hooks named in `mailrules.hookspecs`; nothing runs at import.
"""

from mailrules.api.check import Check, Remark
from mailrules.api.descriptors import (
    ActionType,
    Auth,
    AuthType,
    Credential,
    LogInState,
    NoCredential,
    PasswordCredential,
    Person,
    Place,
    ReceiveProtocol,
    RenewableAuth,
    SendProtocol,
    TokenCredential,
    Transport,
    hookimpl,
)
from mailrules.api.options import (
    Duration,
    Options,
    OptionsError,
    Secret,
    Size,
    build_options,
    misfit,
)
from mailrules.api.schema import options_schema
from mailrules.api.template import Template, Templates
from mailrules.model.action import (
    Action,
    Answer,
    Context,
    Data,
    Files,
    Http,
    InDoubt,
    Log,
    Permanent,
    PersonNeeded,
    Refused,
    Sender,
    Transient,
)
from mailrules.model.mailbox import Head, Mailbox, Ref, Settlement
from mailrules.model.message import Address, Attachment, Message
from mailrules.model.rule import Disposition

__all__ = [
    "Action",
    "ActionType",
    "Address",
    "Answer",
    "Attachment",
    "Auth",
    "AuthType",
    "Check",
    "Context",
    "Credential",
    "Data",
    "Disposition",
    "Duration",
    "Files",
    "Head",
    "Http",
    "InDoubt",
    "Log",
    "LogInState",
    "Mailbox",
    "Message",
    "NoCredential",
    "Options",
    "OptionsError",
    "PasswordCredential",
    "Permanent",
    "Person",
    "PersonNeeded",
    "Place",
    "ReceiveProtocol",
    "Ref",
    "Refused",
    "Remark",
    "RenewableAuth",
    "Secret",
    "SendProtocol",
    "Sender",
    "Settlement",
    "Size",
    "Template",
    "Templates",
    "TokenCredential",
    "Transient",
    "Transport",
    "build_options",
    "hookimpl",
    "misfit",
    "options_schema",
]
