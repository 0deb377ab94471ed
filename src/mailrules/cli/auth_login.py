"""`mailrules auth login`: a person allows it, once; from then on it renews itself."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from mailrules.cli.complete import account_names
from mailrules.cli.invocation import common_options
from mailrules.cli.terminal import safe

if TYPE_CHECKING:
    from mailrules.api import LogInState


@click.command(name="login", short_help="Log in to an account.")
@click.argument("account", shell_complete=account_names)
@click.option("--device", is_flag=True, help="By a code that is typed in on another device.")
@common_options
def command(account: str, *, device: bool) -> int:
    """Log in to ACCOUNT: open the address that is shown, and allow it there.

    A browser of this machine is opened if there is one, and comes back by itself. Tokens are kept, readable by this
    user alone, and renewed from then on; what runs already takes them up.
    """
    from mailrules.api import RenewableAuth
    from mailrules.cli.log_in import auth_named
    from mailrules.cli.reload import wake
    from mailrules.cli.workspace import existing_root

    way, auth = auth_named(account)
    if not isinstance(auth, RenewableAuth):
        raise click.UsageError(f"account '{account}' logs in by {way}: there is nothing for a person to allow")
    state = auth.log_in(Screen(), device=device)
    wake(existing_root())
    click.echo(_told(state))
    return 0


class Screen:
    """The person before this terminal. See `mailrules.api.Person`."""

    def tell(self, text: str, /) -> None:
        """A line on stdout, at once."""
        click.echo(safe(text))

    def browse(self, url: str, /) -> None:
        """The address, always; and the browser where there is a screen for one."""
        self.tell("Open this address and allow it:")
        click.echo(f"  {safe(url)}")
        sys.stdout.flush()
        if any(name in os.environ for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")) or sys.platform == "darwin":
            import threading
            import webbrowser

            # Some browsers keep us until they end, and the one that comes back is waited for here.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _told(state: LogInState) -> str:
    from mailrules.cli.record import moment

    until = f" until {moment(state.until)}" if state.until else ""
    scopes = f", for {' '.join(state.scopes)}" if state.scopes else ""
    after = "renewed by itself" if state.renewable else "then somebody has to log in again: no refresh token was given"
    return safe(f"logged in as {state.login}{until}{scopes}; {after}")
