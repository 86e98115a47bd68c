"""Hostile archives are refused with a reason and leave nothing; good ones arrive whole."""

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.archives import ArchiveLimits, HostileArchive, inspect, unpack

MIB = 2**20


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def file_entry(
    name: str, content: bytes = b"x", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    return info, content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def tarred(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def unix_entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def everything_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def assert_refused(archive: Path, reason: str, limits: ArchiveLimits | None = None) -> None:
    before = everything_below(archive.parent)
    into = archive.parent / "source"
    with pytest.raises(HostileArchive, match=reason):
        inspect(archive, limits)
    with pytest.raises(HostileArchive, match=reason):
        unpack(archive, into, limits=limits)
    assert everything_below(archive.parent) == before


class TestGoodArchives:
    def test_a_zip_arrives_whole(self, tmp_path: Path) -> None:
        archive = zipped(
            tmp_path / "a.bin",
            ("train.py", b"print(1)"),
            ("pkg/", b""),
            ("pkg/böse.txt", b"\x00\xff"),
            (unix_entry("run.sh", stat.S_IFREG | 0o6777), b"#!/bin/sh"),
        )
        paths = unpack(archive, tmp_path / "source")
        assert paths == ["train.py", "pkg/böse.txt", "run.sh"]
        assert (tmp_path / "source/pkg/böse.txt").read_bytes() == b"\x00\xff"
        assert stat.S_IMODE((tmp_path / "source/run.sh").stat().st_mode) == 0o755
        assert stat.S_IMODE((tmp_path / "source/train.py").stat().st_mode) == 0o644

    def test_a_tar_arrives_whole(self, tmp_path: Path) -> None:
        archive = tarred(
            tmp_path / "a.bin",
            special("./", tarfile.DIRTYPE),
            file_entry("./train.py", b"print(1)", 0o4755),
            file_entry("./" + "d" * 90 + "/" + "f" * 120, b"long"),
            file_entry("./inner.zip", b"PK\x03\x04 not looked into"),
        )
        paths = unpack(archive, tmp_path / "source")
        assert paths == ["train.py", "d" * 90 + "/" + "f" * 120, "inner.zip"]
        assert stat.S_IMODE((tmp_path / "source/train.py").stat().st_mode) == 0o755

    def test_looking_inside_writes_nothing(self, tmp_path: Path) -> None:
        archive = zipped(tmp_path / "a.zip", ("a.py", b"12345"), ("b/c.py", b"6"))
        listing = inspect(archive)
        assert (listing.kind, listing.total_bytes) == ("zip", 6)
        assert [(file.path, file.size) for file in listing.files] == [("a.py", 5), ("b/c.py", 1)]
        assert everything_below(tmp_path) == [archive]

    def test_an_empty_folder_may_be_unpacked_into(self, tmp_path: Path) -> None:
        (tmp_path / "source").mkdir()
        unpack(zipped(tmp_path / "a.zip", ("a.py", b"")), tmp_path / "source")
        assert (tmp_path / "source/a.py").exists()

    def test_a_folder_with_something_in_it_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "source").mkdir()
        (tmp_path / "source/mine").write_text("kept")
        with pytest.raises(FileExistsError):
            unpack(zipped(tmp_path / "a.zip", ("a.py", b"")), tmp_path / "source")
        assert (tmp_path / "source/mine").read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil", "leads outside"),
        ("a/../../evil", "leads outside"),
        ("/etc/evil", "absolute"),
        ("C:/evil", "absolute"),
        ("a\\..\\evil", "backslash"),
        ("a\nb", "control"),
        ("/".join("d" * 17), "deep"),
        ("n" * 256, "too long"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_astray(tmp_path: Path, kind: str, name: str, reason: str) -> None:
    path = tmp_path / "archive"
    good = "good.py"
    if kind == "zip":
        assert_refused(zipped(path, (good, b"x"), (name, b"x")), reason)
    else:
        assert_refused(tarred(path, file_entry(good), file_entry(name)), reason)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Train.py", "train.py"),
        ("a.py", "a.py"),
        ("caf\u00e9", "cafe\u0301"),
        ("straße", "STRASSE"),
        ("pkg/a", "PKG/b"),
        ("a", "a/b"),
        ("a/b", "a"),
    ],
)
def test_the_same_name_twice(tmp_path: Path, first: str, second: str) -> None:
    assert_refused(tarred(tmp_path / "t", file_entry(first), file_entry(second)), "twice")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_anything_but_files_and_folders(tmp_path: Path, kind: bytes) -> None:
    archive = tarred(tmp_path / "t", file_entry("a"), special("b", kind, "/etc/passwd"))
    assert_refused(archive, "neither a regular file nor a folder")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip(tmp_path: Path, mode: int) -> None:
    archive = zipped(tmp_path / "z", (unix_entry("b", mode | 0o777), b"/etc/passwd"))
    assert_refused(archive, "neither a regular file nor a folder")


def test_a_link_that_is_then_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = tarred(
        tmp_path / "t", special("door", tarfile.SYMTYPE, str(outside)), file_entry("door/evil")
    )
    assert_refused(archive, "neither a regular file")


def test_the_long_path_escape(tmp_path: Path) -> None:
    """A chain of links so long that resolving it gives up, and the last one leads outside."""
    members, path, part = [], "", "d" * 247
    for step in "abcdefghijklmnop":
        members.append(special(path + part, tarfile.DIRTYPE))
        members.append(special(path + step, tarfile.SYMTYPE, part))
        path += part + "/"
    links = "/".join("abcdefghijklmnop") + "/" + "l" * 254
    members.append(special(links, tarfile.SYMTYPE, "../" * 16))
    members.append(special("escape", tarfile.SYMTYPE, links + "/../outside"))
    members.append(special("flag", tarfile.LNKTYPE, "escape/flag"))
    members.append(file_entry("flag", b"owned"))
    assert_refused(tarred(tmp_path / "t", *members), "neither a regular file")


class TestBombs:
    def test_ratio_in_a_zip(self, tmp_path: Path) -> None:
        assert_refused(zipped(tmp_path / "z", ("zeros", bytes(50 * MIB))), "100 times")

    def test_ratio_in_a_tar(self, tmp_path: Path) -> None:
        assert_refused(tarred(tmp_path / "t", file_entry("zeros", bytes(50 * MIB))), "100 times")

    @pytest.mark.parametrize("make", [zipped, tarred])
    def test_total_size(self, tmp_path: Path, make: Callable[..., Path]) -> None:
        entries = [("a", b"x" * 600), ("b", b"y" * 600)]
        members = entries if make is zipped else [file_entry(*entry) for entry in entries]
        assert_refused(
            make(tmp_path / "z", *members), "1000 bytes", ArchiveLimits(total_bytes=1000)
        )

    def test_a_small_archive_may_be_packed_tightly(self, tmp_path: Path) -> None:
        assert inspect(zipped(tmp_path / "z", ("zeros", bytes(MIB - 1)))).total_bytes == MIB - 1

    @pytest.mark.parametrize("make", [zipped, tarred])
    def test_too_many_files(self, tmp_path: Path, make: Callable[..., Path]) -> None:
        names = [f"f{n}" for n in range(2001)]
        members = [(n, b"") if make is zipped else file_entry(n, b"") for n in names]
        assert_refused(make(tmp_path / "z", *members), "more than 2000 files")

    def test_too_many_folders(self, tmp_path: Path) -> None:
        members = [special(f"d{n}", tarfile.DIRTYPE) for n in range(2001)]
        assert_refused(tarred(tmp_path / "z", *members), "more than 2000 files")

    def test_a_table_of_contents_without_end(self, tmp_path: Path) -> None:
        members = [("d" * 200 + str(n), b"") for n in range(20_000)]
        assert_refused(zipped(tmp_path / "z", *members), "table of contents")

    def test_a_header_that_is_itself_the_bomb(self, tmp_path: Path) -> None:
        info, content = file_entry("a")
        info.pax_headers = {"comment": "x" * (4 * MIB)}
        assert_refused(tarred(tmp_path / "t", (info, content)), "header that is too large")

    def test_a_size_that_is_a_lie(self, tmp_path: Path) -> None:
        archive = zipped(tmp_path / "z", ("zeros", bytes(2 * MIB)))
        raw = archive.read_bytes().replace(struct.pack("<L", 2 * MIB), struct.pack("<L", 10))
        archive.write_bytes(raw)
        assert_refused(archive, "damaged")


class TestDamage:
    def test_encrypted(self, tmp_path: Path) -> None:
        archive = zipped(tmp_path / "z", ("secret", b"x"))
        raw = bytearray(archive.read_bytes())
        raw[6] |= 1
        raw[raw.index(b"PK\x01\x02") + 8] |= 1
        archive.write_bytes(raw)
        assert_refused(archive, "'secret': the member is encrypted")

    @pytest.mark.parametrize("make", [zipped, tarred])
    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
    def test_truncated(self, tmp_path: Path, make: Callable[..., Path], share: float) -> None:
        noise = bytes(n * n % 251 for n in range(300_000))
        entry = ("a", noise) if make is zipped else file_entry("a", noise)
        archive = make(tmp_path / "z", entry)
        archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
        assert_refused(archive, "damaged")

    def test_a_broken_header_is_not_taken_for_the_end(self, tmp_path: Path) -> None:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as archive:
            for name in ("a", "b"):
                info, content = file_entry(name)
                archive.addfile(info, io.BytesIO(content))
        raw = bytearray(plain.getvalue())
        raw[1024:1030] = b"broken"
        path = tmp_path / "t"
        path.write_bytes(gzip.compress(raw))
        assert_refused(path, "damaged")

    @pytest.mark.parametrize("content", [b"", b"hello", b"Rar!\x1a\x07", b"PK\x05\x06" + bytes(18)])
    def test_something_else_altogether(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "archive.zip"
        path.write_bytes(content)
        assert_refused(path, "neither a .zip nor a .tar.gz")

    def test_a_sparse_file(self, tmp_path: Path) -> None:
        archive = tarred(tmp_path / "t", special("holes", tarfile.GNUTYPE_SPARSE))
        assert_refused(archive, "neither a regular file")

    def test_the_error_is_one_of_the_domain(self) -> None:
        assert HostileArchive("x").code == "hostile_archive"
