"""A log keeps order, survives anything that is printed, and never grows beyond its bound."""

import os
import subprocess
import sys
import time

import pytest

from workers.runner.lines import CONTINUES, LAST_LINES, LONGEST_LINE, Line, Stream
from workers.runner.output import Output

MIB = 2**20


def log_of(script: str, keep_bytes: int = 16 * MIB) -> list[Line]:
    argv = [sys.executable, "-u", "-c", script]
    with subprocess.Popen(argv, stdout=-1, stderr=-1, bufsize=0) as process:
        assert process.stdout
        assert process.stderr
        return Output(process.stdout, process.stderr, keep_bytes=keep_bytes).finish(60)


def texts(script: str) -> list[str]:
    return [line.text for line in log_of(script)]


def printing(raw: bytes) -> str:
    return f"import os; os.write(1, {raw!r})"


def test_lines_are_numbered_in_the_order_they_were_printed() -> None:
    script = (
        "import sys, time\n"
        "for n in range(20):\n"
        "    print(n, file=(sys.stdout, sys.stderr)[n % 2]); time.sleep(.005)"
    )
    lines = log_of(script)
    assert [line.number for line in lines] == list(range(1, 21))
    assert [line.text for line in lines] == [str(n) for n in range(20)]
    assert [line.stream for line in lines[:2]] == [Stream.STDOUT, Stream.STDERR]
    assert lines == sorted(lines, key=lambda line: line.at)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", []),
        (b"\n\n", ["", ""]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"no line feed", ["no line feed"]),
        (b"nul\0 inside\n", ["nul inside"]),
        (b"bad \xff\xfe utf\n", ["bad \ufffd\ufffd utf"]),
        ("grüße 🚂\n".encode(), ["grüße 🚂"]),
        (b"10%\r50%\r100%\ndone\n", ["100%", "done"]),
        (b"\r 10%\r 99%\r", [" 99%"]),
        (b"\r\r\r\n", [""]),
    ],
)
def test_what_is_printed_and_what_is_kept(raw: bytes, expected: list[str]) -> None:
    assert texts(printing(raw)) == expected


def test_a_bar_that_never_ends_its_line_takes_no_room() -> None:
    states = "b''.join(b'\\r%d%%' % n for n in range(9999))"
    script = f"import os\nfor _ in range(50): os.write(1, {states})"
    assert texts(script) == ["9998%"]


def test_a_line_too_long_is_cut_between_characters() -> None:
    text = "é" * LONGEST_LINE
    pieces = texts(f"print({'é'!r} * {LONGEST_LINE}, flush=True)")
    assert len(pieces) == 2
    assert pieces[0].endswith(CONTINUES)
    assert not pieces[1].endswith(CONTINUES)
    assert "".join(piece.removesuffix(CONTINUES) for piece in pieces) == text


def test_a_log_without_any_line_feed() -> None:
    pieces = texts(f"import os\nfor _ in range(64): os.write(1, b'x' * {MIB // 64})")
    assert sum(len(piece.removesuffix(CONTINUES)) for piece in pieces) == MIB
    assert len(pieces) == MIB // LONGEST_LINE


def test_lines_can_be_taken_while_it_runs() -> None:
    argv = [sys.executable, "-u", "-c", "print('first'); input(); print('second')"]
    with subprocess.Popen(argv, stdin=-1, stdout=-1, stderr=-1, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        output = Output(process.stdout, process.stderr, keep_bytes=MIB)
        give_up = time.monotonic() + 10
        while not (early := output.take()):
            assert time.monotonic() < give_up
            time.sleep(0.01)
        assert [(line.number, line.text) for line in early] == [(1, "first")]
        process.stdin.write(b"\n")
        late = output.finish(10)
    assert [(line.number, line.text) for line in late] == [(2, "second")]


def test_beyond_the_limit_the_end_is_kept_and_the_gap_is_told() -> None:
    lines = log_of("for n in range(1, 10_001): print(n)", keep_bytes=7_000)
    kept = [line for line in lines if line.stream is not Stream.NOTE]
    (note,) = [line for line in lines if line.stream is Stream.NOTE]
    assert [line.text for line in kept[-LAST_LINES:]] == [str(n) for n in range(9_801, 10_001)]
    assert all(line.text == str(line.number) for line in kept)
    first_gap = len(kept) - LAST_LINES
    assert f"{10_000 - LAST_LINES - first_gap:,} lines dropped" in note.text
    assert [line.number for line in lines] == sorted({line.number for line in lines})


def test_just_over_the_limit_nothing_is_dropped_and_nothing_claimed() -> None:
    lines = log_of("for n in range(150): print(n)", keep_bytes=1_000)
    assert [line.text for line in lines] == [str(n) for n in range(150)]


def test_a_pipe_that_somebody_holds_open_is_given_up() -> None:
    ours, theirs = os.pipe()
    silent, closed = os.pipe()
    os.close(closed)
    os.write(theirs, b"said before\nand half a li")
    began = time.monotonic()
    with os.fdopen(ours, "rb", 0) as stdout, os.fdopen(silent, "rb", 0) as stderr:
        lines = Output(stdout, stderr, keep_bytes=MIB).finish(0.2)
    os.close(theirs)
    assert [line.text for line in lines] == ["said before", "and half a li"]
    assert time.monotonic() - began < 2


MEASURED = """
import re, subprocess, sys, time
from workers.runner.output import Output
script = "import sys\\nline = b'epoch 1 loss 0.123456 and so on and so on %d\\\\n' * 2000\\n"
script += "left = {size}\\nwhile left > 0:\\n    sys.stdout.buffer.write(line); left -= len(line)"
began = time.monotonic()
with subprocess.Popen([sys.executable, "-c", script], stdout=-1, stderr=-1, bufsize=0) as process:
    output = Output(process.stdout, process.stderr, keep_bytes=16 << 20)
    taken = 0
    while process.poll() is None:
        taken += len(output.take())
        time.sleep(0.15)
    last = output.finish(60)
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())
rss = int(peak[1]) // 1024
print(rss, time.monotonic() - began, last[-1].number, taken + len(last))
"""


def test_a_flood_flows_and_takes_no_memory() -> None:
    size = int(os.environ.get("RUNYARD_TEST_FLOOD_BYTES", 200 * MIB))
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED.replace("{size}", str(size))],
        capture_output=True,
        text=True,
        check=True,
    )
    rss, seconds, lines, kept = map(float, measured.stdout.split())
    print(f"{size / MIB:.0f} MiB in {seconds:.1f} s, {rss:.0f} MiB resident")
    assert kept < lines
    assert rss < 150
    assert size / MIB / seconds > 20
    assert lines >= size / 60
