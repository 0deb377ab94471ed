"""A person allows it on another device, by a code that is shown here (RFC 8628)."""

from __future__ import annotations

import time

from mailrules.api import Person, Transient
from mailrules.builtin.line.tls import one_line
from mailrules.builtin.oauth2.http import Denied
from mailrules.builtin.oauth2.provider import Provider
from mailrules.builtin.oauth2.tokens import Tokens

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def by_device(provider: Provider, person: Person) -> Tokens:
    """Show the code, ask until it was typed in.

    Raises:
        Denied: the person said no.
        Transient: nobody came in time.
    """
    asked = provider.device_code()
    person.tell(f"On any device, open this address and type in the code {one_line(asked.get('user_code'))}:")
    person.tell(f"  {one_line(asked.get('verification_uri'))}")
    if whole := asked.get("verification_uri_complete"):
        person.tell(f"or open this one, which holds the code: {one_line(whole, 500)}")
    pause = float(asked.get("interval") or 5)
    end = time.monotonic() + float(asked.get("expires_in") or 600)
    while time.monotonic() < end:
        time.sleep(pause)
        try:
            return provider.by_grant(grant_type=GRANT, device_code=str(asked.get("device_code")))
        except Denied as denied:
            if denied.code not in {"authorization_pending", "slow_down"}:
                raise
            pause += 5 if denied.code == "slow_down" else 0
        except Transient:  # section 3.5: ask more rarely, and go on
            pause += 5
    raise Transient("nobody typed in the code in time")
