"""What the README shows works as shown."""

import re
from pathlib import Path

import pytest
from relocbench.cli import app
from relocbench.methods.conformance import check_method
from relocbench.methods.registry import load_method_file
from typer.main import get_command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_example_method_keeps_the_contract_in_under_20_lines(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    (tmp_path / "thumbnail.py").write_text(example)
    body = [line for line in example.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(body) < 20
    check_method(load_method_file(f"{tmp_path / 'thumbnail.py'}:Thumbnail"))


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_links_lead_to_what_is_there(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_pictures_exist():
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert len(pictures) >= 2
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_the_table_of_commands_names_those_that_exist():
    named = set(re.findall(r"^\| `relocbench (\w+)", README, flags=re.MULTILINE))
    assert named == set(get_command(app).commands)


def test_the_commands_of_the_makefile_are_those_of_the_readme():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"^    make (\w+)", README, flags=re.MULTILINE)) <= targets
