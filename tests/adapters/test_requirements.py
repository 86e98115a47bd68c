"""Plain requirements pass, whatever chooses where code comes from does not."""

import pytest

from adapters.requirements import RequirementsRefused, parse_requirements


def test_order_spelling_and_comments_make_no_difference() -> None:
    text = "torch >= 2.1,<3  # big\r\n\nmlflow-skinny==3.17.2\n# nothing\nmlflow-skinny == 3.17.2"
    assert parse_requirements(text) == ("mlflow-skinny==3.17.2", "torch<3,>=2.1")


def test_extras_markers_and_hashes() -> None:
    text = (
        'uvicorn[standard]==0.30 ; python_version < "3.13"\n'
        "six==1.16.0 \\\n    --hash=sha256:bb22 \\\n    --hash=sha256:aa11\n"
    )
    assert parse_requirements(text) == (
        "six==1.16.0 --hash=sha256:aa11 --hash=sha256:bb22",
        'uvicorn[standard]==0.30; python_version < "3.13"',
    )


def test_none_at_all() -> None:
    assert parse_requirements("\n  # later\n") == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--index-url https://evil.example/simple", "options"),
        ("-i https://evil.example/simple", "options"),
        ("--extra-index-url=https://evil.example", "options"),
        ("-r other.txt", "options"),
        ("-e .", "options"),
        ("-c constraints.txt", "options"),
        ("--find-links /tmp", "options"),
        ("six --config-settings=x=y", "options"),
        ("six==1.0 \\\n --index-url https://evil.example", "options"),
        ("six @ https://evil.example/six.whl", "addresses"),
        ("six @ file:///etc/passwd", "addresses"),
        ("six @ git+https://evil.example/six", "addresses"),
        ("git+https://evil.example/six", "git"),
        ("https://evil.example/six.whl", "https"),
        ("./local", "local"),
        ("/abs/six.whl", "abs"),
        ("six==${VERSION}", "VERSION"),
        ("x" * 70_000, "longer"),
    ],
)
def test_refused(line: str, reason: str) -> None:
    with pytest.raises(RequirementsRefused, match=reason):
        parse_requirements(f"numpy\n{line}\n")
