import os
import stat

import pytest

from workers.stack import folder as folders
from workers.stack.refusal import CannotStart


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def place(tmp_path_factory):
    """A folder that everyone may walk to, as pytest's own are not."""
    path = tmp_path_factory.mktemp("place")
    for parent in (path, path.parent, path.parent.parent):
        parent.chmod(0o711)
    return path


def test_others_may_walk_through_but_not_look_into_what_is_ours(place):
    folder = folders.prepare({"RUNYARD_DATA_DIR": str(place / "data")})

    assert mode(folder.path) == mode(folder.runs) == 0o711
    assert mode(folder.logs) == mode(folder.artifacts) == 0o700


def test_one_folder_serves_one_stack(place):
    folder = folders.prepare({"RUNYARD_DATA_DIR": str(place)})

    with (
        folders.held(folder),
        pytest.raises(CannotStart, match=f"already runs here as process {os.getpid()}"),
        folders.held(folder),
    ):
        pass


def test_a_folder_let_go_can_be_held_again(place):
    folder = folders.prepare({"RUNYARD_DATA_DIR": str(place)})

    for _ in range(2):
        with folders.held(folder):
            pass


def test_a_folder_that_cannot_be_made_is_one_sentence(place):
    (place / "file").touch()

    with pytest.raises(CannotStart, match="cannot write to the data folder: Not a directory"):
        folders.prepare({"RUNYARD_DATA_DIR": str(place / "file" / "data")})


def test_a_path_too_long_for_sockets_is_refused(place):
    with pytest.raises(CannotStart, match="too long"):
        folders.prepare({"RUNYARD_DATA_DIR": str(place / ("x" * 90))})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run under another account")
class TestAsRoot:
    def test_a_private_place_named_by_the_user_is_refused(self, place):
        place.chmod(0o700)

        with pytest.raises(CannotStart, match="private folder"):
            folders.prepare({"RUNYARD_DATA_DIR": str(place / "data")})

    def test_a_private_checkout_keeps_its_data_elsewhere(self, place, monkeypatch):
        checkout = place / "private"
        checkout.mkdir(mode=0o700)
        monkeypatch.setattr(folders, "CHECKOUT", checkout)
        monkeypatch.setattr(folders, "ELSEWHERE", place / "elsewhere")

        folder = folders.prepare({})

        assert folder.path.parent == place / "elsewhere"
        assert (checkout / ".runyard").resolve() == folder.path
        assert folders.data_folder({}) == folder
