"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from domain.runs.lifecycle import MOVES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_states_of_a_run_are_drawn_from_the_table() -> None:
    drawn = (ROOT / "docs/architecture.md").read_text()
    for state, moves in MOVES.items():
        assert f"{state:11}→ {', '.join(sorted(moves)) if moves else '(final)'}\n" in drawn


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
