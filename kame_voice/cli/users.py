"""`kame-voice users`: who may see calls, from the machine itself. Each change goes into the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kame_voice.cli.audited import noting, somebody_here

if TYPE_CHECKING:
    from kame_voice.accounts.accounts import Accounts
    from kame_voice.accounts.viewer import Viewer
    from kame_voice.core.nouns import Role
    from kame_voice.store.archive import Archive

__all__ = ["app"]

app = typer.Typer(name="users", help="Manage who may see calls.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The user's name.")]
_Customers = Annotated[
    list[str] | None, typer.Option("--customer", help="A customer they may see, or '*' for all; repeatable.")
]


@app.command("add")
def add(
    name: _Name,
    role: Annotated[str, typer.Option(help="admin, supervisor or reviewer.")] = "reviewer",
    customer: _Customers = None,
) -> None:
    """Add a user and print the one-time link with which they set a password."""
    with _desk() as desk:
        user = desk.accounts.people.add(name, _role(role), customer or [], desk.by, None)
        _print_link(desk, desk.accounts.people.link(user, desk.by, None))


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
        user = desk.archive.users.named(name)
        _print_link(desk, desk.accounts.people.link(user, desk.by, None))


@app.command("role")
def role(name: _Name, role: Annotated[str, typer.Argument(help="admin, supervisor or reviewer.")]) -> None:
    """Change a user's role. The last admin stays one."""
    with _desk() as desk:
        desk.accounts.people.set_role(desk.archive.users.named(name), _role(role), desk.by, None)


@app.command("customers")
def customers(name: _Name, customer: _Customers = None) -> None:
    """Set which customers a user may see; without --customer, none."""
    with _desk() as desk:
        desk.accounts.people.set_customers(desk.archive.users.named(name), customer or [], desk.by, None)


@app.command("disable")
def disable(name: _Name) -> None:
    """Keep a user out: sessions end, tokens stop working."""
    with _desk() as desk:
        desk.accounts.people.disable(desk.archive.users.named(name), desk.by, None)


@app.command("enable")
def enable(name: _Name) -> None:
    """Let a disabled user in again."""
    with _desk() as desk:
        desk.accounts.people.enable(desk.archive.users.named(name), desk.by, None)


@app.command("token")
def token(
    name: _Name,
    purpose: Annotated[str, typer.Argument(help="What the token is for: its name.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="End the token instead.")] = False,
) -> None:
    """Make an API token that may do what the user may, and print it once; or end it."""
    with _desk() as desk:
        user = desk.archive.users.named(name)
        if revoke:
            desk.accounts.people.revoke_token(user, purpose, desk.by, None)
        else:
            print(desk.accounts.people.new_token(user, purpose, desk.by, None)[1])


@app.command("audit")
def audit(
    who: Annotated[str | None, typer.Option(help="Only what this user did.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many entries.")] = 50,
) -> None:
    """Print what users did that reveals or changes a call, newest first."""
    with _desk() as desk:
        page = desk.archive.audit.page(who=who, limit=limit)
    for entry in page.entries:
        print(f"{_moment(entry.at)}  {entry.who:<16}  {entry.action:<18}  {entry.call_id or ''}")


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a command works with; `by` is the person at this machine."""

    archive: Archive
    accounts: Accounts
    by: Viewer
    public_url: str


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
                yield _Desk(archive, accounts, somebody_here(), settings.public_url)
            finally:
                accounts.close()
    finally:
        archive.close()


def _role(name: str) -> Role:
    from kame_voice.core.nouns import Role

    if name not in list(Role):
        raise typer.BadParameter(f"{name!r} is no role: admin, supervisor or reviewer")
    return Role(name)


def _print_link(desk: _Desk, secret: str) -> None:
    print(f"{desk.public_url}/welcome/{secret}")
    print("Valid once, for 24 hours; they choose their password there.")


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"
