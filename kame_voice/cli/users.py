"""`kame-voice users`: who may see calls, from the machine itself. Each change goes into the audit log."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kame_voice.cli.audited import noting, somebody_here

if TYPE_CHECKING:
    from kame_voice.accounts.people import People
    from kame_voice.accounts.viewer import Viewer
    from kame_voice.core.nouns import Role
    from kame_voice.core.settings import Settings
    from kame_voice.store.archive import Archive
    from kame_voice.store.users import UserRecord

__all__ = ["app"]

app = typer.Typer(name="users", help="Manage who may see calls.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
_Role = Annotated[str, typer.Argument(metavar="ROLE", help="admin, supervisor or reviewer.")]
_Customers = Annotated[
    list[str] | None,
    typer.Option("--customer", metavar="SLUG", help="A customer they may see, or '*' for all; repeatable."),
]


@app.command("add")
def add(
    name: _Name,
    role: Annotated[str, typer.Option(help="admin, supervisor or reviewer.")] = "reviewer",
    customer: _Customers = None,
) -> None:
    """Add a user and print the one-time link with which they set a password."""
    with _desk() as desk:
        user = desk.people.add(name, _role(role), customer or [], desk.by, None)
        desk.warn_of_unknown(user.customers)
        print(f"Added {_described(user)}.")
        desk.print_link(user)


@app.command("list")
def list_users() -> None:
    """List users with their roles and customers."""
    with _desk() as desk:
        users = desk.archive.users.all()
    if not users:
        print("No user yet: `kame-voice users add NAME --role admin` makes one.")
        return
    print(f"{'NAME':<20}  {'ROLE':<10}  {'SIGNED IN (UTC)':<16}  {'STATE':<11}  CUSTOMERS")
    for user in users:
        state = "disabled" if user.disabled_at else "active" if user.has_password else "no password"
        seen = "*" if user.role == "admin" else ", ".join(user.customers) or "none"
        print(
            f"{user.name:<20}  {user.role.value:<10}  {_moment(user.signed_in_at):<16}  {state:<11}  {seen}"
        )


@app.command("passwd")
def passwd(name: _Name) -> None:
    """Print a one-time link with which the user sets a new password; an earlier link dies."""
    with _desk() as desk:
        desk.print_link(desk.user(name))


@app.command("role")
def role(name: _Name, role: _Role) -> None:
    """Change a user's role. The last admin stays one."""
    with _desk() as desk:
        desk.people.set_role(desk.user(name), _role(role), desk.by, None)
        print(f"Now {_described(desk.user(name))}.")


@app.command("customers")
def customers(name: _Name, customer: _Customers = None) -> None:
    """Set which customers a user may see; without --customer, none."""
    with _desk() as desk:
        desk.people.set_customers(desk.user(name), customer or [], desk.by, None)
        user = desk.user(name)
        desk.warn_of_unknown(user.customers)
        print(f"Now {_described(user)}.")


@app.command("disable")
def disable(name: _Name) -> None:
    """Keep a user out: sessions end, tokens stop working."""
    with _desk() as desk:
        desk.people.disable(desk.user(name), desk.by, None)
        print(f"{desk.user(name).name} is disabled: sessions have ended, tokens do not work.")


@app.command("enable")
def enable(name: _Name) -> None:
    """Let a disabled user in again."""
    with _desk() as desk:
        desk.people.enable(desk.user(name), desk.by, None)
        user = desk.user(name)
        how = "" if user.has_password else f", with a link of `kame-voice users passwd {user.name}`"
        print(f"{user.name} may sign in{how}.")


@app.command("sign-out")
def sign_out(name: _Name) -> None:
    """End all sessions of a user, as where a laptop is lost. Tokens go on."""
    with _desk() as desk:
        desk.people.sign_out_everywhere(desk.user(name), desk.by, None)
        print(f"{desk.user(name).name} is signed out everywhere.")


@app.command("token")
def token(
    name: _Name,
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help="What the token is for: its name.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="End the token instead.")] = False,
) -> None:
    """Make an API token that may do what the user may, and print it once; or end it."""
    with _desk() as desk:
        user = desk.user(name)
        if revoke:
            desk.people.revoke_token(user, purpose, desk.by, None)
            print(f"The token {purpose} of {user.name} works no more.")
        else:
            # Alone on its line, for scripts.
            print(desk.people.new_token(user, purpose, desk.by, None)[1])


@app.command("tokens")
def tokens(name: _Name) -> None:
    """List a user's API tokens by name."""
    with _desk() as desk:
        user = desk.user(name)
        found = desk.archive.keys.tokens(user.id)
    if not found:
        print(f"{user.name} has no token.")
        return
    print(f"{'NAME':<24}  {'BEGINS':<12}  {'MADE (UTC)':<16}  USED (UTC)")
    for one in found:
        print(
            f"{one.name:<24}  {one.begins + '…':<12}  {_moment(one.created_at):<16}  {_moment(one.used_at)}"
        )


@app.command("audit")
def audit(
    who: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this user did.")] = None,
    call: Annotated[str | None, typer.Option(metavar="ID", help="Only what was done to this call.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many entries.")] = 50,
    before: Annotated[
        str | None, typer.Option(help="Older entries: the cursor that a page ends with.")
    ] = None,
) -> None:
    """Print what users did that reveals or changes a call, newest first."""
    with _desk() as desk:
        page = desk.archive.audit.page(who=who, call_id=call, limit=limit, before=before)
    if not page.entries:
        print("No entry.")
        return
    print(f"{'AT (UTC)':<16}  {'WHO':<16}  {'VIA':<8}  {'ACTION':<20}  {'CALL':<12}  ABOUT")
    for entry in page.entries:
        about = " ".join(
            [entry.customer or "", json.dumps(entry.data, ensure_ascii=False) if entry.data else ""]
        )
        print(
            f"{_moment(entry.at)}  {entry.who:<16}  {entry.via:<8}  {entry.action:<20}  "
            f"{entry.call_id or '':<12}  {about.strip()}".rstrip()
        )
    if page.next:
        print(f"Older entries: the same with --before {page.next}")


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a command works with; `by` is the person at this machine."""

    archive: Archive
    people: People
    by: Viewer
    settings: Settings

    def user(self, name: str) -> UserRecord:
        return self.archive.users.named(name)

    def print_link(self, user: UserRecord) -> None:
        secret = self.people.link(user, self.by, None)
        print(f"{self.settings.public_url or 'https://YOUR-SERVER'}/welcome/{secret}")
        print(f"Valid once, for 24 hours; {user.name} chooses a password there.")
        if not self.settings.public_url:
            _warn("KAME_PUBLIC_URL is not set here: put your server's address in place of YOUR-SERVER")

    def warn_of_unknown(self, customers: Collection[str]) -> None:
        """A slip of the keys would let somebody see nobody's calls, without a word."""
        from kame_voice.flows.errors import FlowError
        from kame_voice.flows.folder import flow_paths
        from kame_voice.flows.loader import load_flow

        known = set(self.archive.calls.lines().values())
        with suppress(FlowError):  # whoever mends flows is told elsewhere
            known |= {load_flow(path).customer for path in flow_paths(self.settings.flows_dir)}
        for slug in sorted({*customers} - known - {"*"}):
            there = f"; there are {', '.join(sorted(known))}" if known else ""
            _warn(f"no flow and no call has the customer {slug!r}{there}")


@contextmanager
def _desk() -> Iterator[_Desk]:
    from kame_voice.accounts.accounts import Accounts
    from kame_voice.core.settings import load_settings
    from kame_voice.store.archive import Archive

    settings = load_settings()
    # A server may be running on the same database: open it for a look, and write the few rows directly.
    archive = Archive.open_existing(settings.effective_database_url, settings.data_dir)
    try:
        with noting(archive) as note:
            accounts = Accounts(settings, archive, note)
            try:
                yield _Desk(archive, accounts.people, somebody_here(), settings)
            finally:
                accounts.close()
    finally:
        archive.close()


def _role(name: str) -> Role:
    from kame_voice.core.nouns import Role

    if name not in list(Role):
        raise typer.BadParameter(f"{name!r} is no role: admin, supervisor or reviewer")
    return Role(name)


def _described(user: UserRecord) -> str:
    """ "ana, a reviewer, who sees the calls of acme"."""
    if user.role == "admin" or "*" in user.customers:
        seen = "the calls of every customer"
    elif user.customers:
        seen = f"the calls of {', '.join(user.customers)}"
    else:
        seen = f"nobody's calls (`kame-voice users customers {user.name} --customer SLUG`)"
    return f"{user.name}, {'an' if user.role == 'admin' else 'a'} {user.role.value}, who sees {seen}"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"


def _warn(text: str) -> None:
    typer.echo(f"kame-voice: {text}", err=True)
