"""Links of the documents lead somewhere, and so does each docs/ path in the source."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "tests/goldens/*.md")
    for path in ROOT.glob(pattern)
)
SOURCES = sorted(
    path
    for folder in ("kfer", "components", "pipelines", "benchmarks", "examples", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".c", ".html")
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"\bdocs/[\w/.-]+\.(?:md|png)\b")


def without_code(text):
    """A document without its ``` blocks, which may hold what looks like a link."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchor_of(heading):
    """The anchor of a heading: 'The Beam job, again' -> 'the-beam-job-again'."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path):
    lines = without_code(path.read_text()).splitlines()
    return {anchor_of(line.lstrip("#")) for line in lines if line.startswith("#")}


def broken(path):
    """The links of a document that lead nowhere."""
    for link in LINK.findall(without_code(path.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize(
    "path", DOCUMENTS, ids=[p.relative_to(ROOT).as_posix() for p in DOCUMENTS]
)
def test_links_lead_somewhere(path):
    assert list(broken(path)) == []


def test_paths_named_in_text_exist():
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (*DOCUMENTS, *SOURCES)
        if path != Path(__file__).resolve()
        for name in NAMED.findall(path.read_text())
        if not (ROOT / name).exists()
    ]
    assert missing == []


def test_every_document_is_in_the_index():
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / link).resolve() for link in LINK.findall(index.read_text())
    }
    rooms = [*ROOT.glob("docs/guide/*.md"), *ROOT.glob("docs/design/*.md")]
    assert len(rooms) > 10
    assert [p.name for p in rooms if p.resolve() not in linked] == []


def test_the_rules_see_what_they_forbid(tmp_path):
    (tmp_path / "other.md").write_text("# The Beam job, again\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#the-beam-job-again) [b](gone.md) [c](other.md#no)\n"
        "[d](https://example.org/x.md) [e](#no-such)\n"
        "```\n[f](in_code.md)\n```\n"
    )
    assert list(broken(page)) == ["gone.md", "other.md#no", "#no-such"]
    assert NAMED.findall("see docs/guide/data.md.") == ["docs/guide/data.md"]
