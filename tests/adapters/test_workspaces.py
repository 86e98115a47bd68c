"""Each attempt has a place of its own; checkpoints pass on; nothing is ever done through a link."""

import os
import stat
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.workspaces import (
    RUN_UIDS,
    UnsafeRoot,
    choose_runs_root,
    choose_uid,
    hand_over,
    old_workspaces,
    prepare_workspace,
    remove_workspace,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def test_an_attempt_gets_fresh_folders(tmp_path: Path) -> None:
    workspace = prepare_workspace(tmp_path, uuid4(), uuid4(), None)
    for folder in (workspace.source, workspace.tmp, workspace.home, workspace.checkpoints):
        assert folder.is_dir()
    assert stat.S_IMODE(workspace.path.stat().st_mode) == 0o700


def test_an_attempt_has_one_only(tmp_path: Path) -> None:
    run_id, attempt_id = uuid4(), uuid4()
    prepare_workspace(tmp_path, run_id, attempt_id, None)
    with pytest.raises(FileExistsError):
        prepare_workspace(tmp_path, run_id, attempt_id, None)


@as_root
def test_checkpoints_pass_to_the_next_attempt_and_only_to_it(tmp_path: Path) -> None:
    root = choose_runs_root(tmp_path / "runs")
    run_id = uuid4()

    def shell(script: str, uid: int) -> int:
        argv = ["/bin/sh", "-c", script]
        return subprocess.run(argv, user=uid, group=uid, extra_groups=[], cwd="/").returncode

    first = prepare_workspace(root, run_id, uuid4(), 61200)
    saved = first.checkpoints / "d"
    assert shell(f"umask 077; mkdir {saved}; echo 1 > {saved}/c", 61200) == 0
    second = prepare_workspace(root, run_id, uuid4(), 61201)
    assert shell(f"cat {saved}/c && touch {second.tmp}/x", 61201) == 0
    assert shell(f"cat {saved}/c", 61200) != 0
    assert shell(f"ls {second.path}", 61200) != 0
    remove_workspace(root.parent, root)


@as_root
def test_files_of_others_are_not_handed_over_by_links(tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "checkpoints"
    precious.write_text("of root")
    folder.mkdir()
    os.link(precious, folder / "hard")
    os.symlink(precious, folder / "soft")
    os.symlink("/etc", folder / "door")
    os.mkfifo(folder / "pipe")
    (folder / "own").write_text("")
    hand_over(folder, 61200)
    assert (precious.stat().st_uid, Path("/etc").stat().st_uid) == (0, 0)
    assert ((folder / "own").stat().st_uid, (folder / "pipe").stat().st_uid) == (61200, 61200)


def test_removal_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    root = tmp_path / "runs"
    root.mkdir()
    workspace = prepare_workspace(root, uuid4(), uuid4(), None)
    os.symlink(precious, workspace.source / "door")
    remove_workspace(root, workspace.path)
    os.symlink(precious, root / "door")
    remove_workspace(root, root / "door")
    assert (precious / "file").read_text() == "kept"
    assert not workspace.path.exists()
    assert not (root / "door").is_symlink()


def test_only_what_is_below_the_root_is_removed(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path.parent, tmp_path / "runs/../.."):
        with pytest.raises(ValueError, match="below"):
            remove_workspace(tmp_path, path)


def test_checkpoints_survive_the_removal_of_an_attempt(tmp_path: Path) -> None:
    workspace = prepare_workspace(tmp_path, uuid4(), uuid4(), None)
    (workspace.checkpoints / "best.pt").write_text("1")
    remove_workspace(tmp_path, workspace.path)
    assert (workspace.checkpoints / "best.pt").exists()


def test_old_ones_are_found_oldest_first(tmp_path: Path) -> None:
    made = [prepare_workspace(tmp_path, uuid4(), uuid4(), None).path for _ in range(3)]
    for path, age in zip(made, (100, 300, 0), strict=True):
        os.utime(path, (time.time() - age,) * 2)
    assert old_workspaces(tmp_path, seconds=50) == [made[1], made[0]]


@as_root
def test_a_root_that_others_cannot_enter_is_replaced(tmp_path: Path) -> None:
    hidden = tmp_path / "home"
    hidden.mkdir(mode=0o700)
    chosen = choose_runs_root(hidden / "runs")
    assert chosen.parent == Path("/var/tmp")
    assert chosen == choose_runs_root(hidden / "runs")
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o711
    os.chown(chosen, 61200, 61200)
    with pytest.raises(UnsafeRoot):
        choose_runs_root(hidden / "runs")
    chosen.rmdir()


def test_each_attempt_has_a_user_of_its_own() -> None:
    if os.geteuid() != 0:
        assert choose_uid(1) is None
    else:
        uids = {choose_uid(seed) for seed in range(1000)}
        assert len(uids) == 1000
        assert uids <= set(RUN_UIDS)
