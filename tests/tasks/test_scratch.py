"""What a killed worker leaves behind does not stay."""

import os
import time
from importlib import import_module

import pytest


def test_a_folder_goes_with_its_block_or_when_it_was_abandoned(servers: None) -> None:
    scratch = import_module("tasks.scratch")
    with scratch.scratch_folder() as folder:
        (folder / "bundle.zip").write_text("half")
        scratch.remove_abandoned()
        assert folder.exists()
    assert not folder.exists()


@pytest.mark.parametrize(("hours", "stays"), [(1, True), (3, False)])
def test_only_what_is_old_was_abandoned(servers: None, hours: int, stays: bool) -> None:
    scratch = import_module("tasks.scratch")
    with scratch.scratch_folder() as folder:
        then = time.time() - hours * 3600
        os.utime(folder, (then, then))
        scratch.remove_abandoned()
        assert folder.exists() is stays
        folder.mkdir(exist_ok=True)
