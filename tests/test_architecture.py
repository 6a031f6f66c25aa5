"""The rules of docs/ARCHITECTURE.md, held against the code itself."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("dasheng", "harness", "tasks")
FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
STDLIB = sys.stdlib_module_names

# What each package may import besides the standard library and itself.
ALLOWED = {
    "dasheng": {
        "torch",
        "torchaudio",
        "numpy",
        "safetensors",
        "tasks.download",
        "tasks.errors",
        "tasks.spec",
    },
    "tasks": {"numpy", "pandas", "pyarrow", "soundfile"},
    "harness": {
        *{"tasks", "torch", "numpy", "scipy", "sklearn", "faiss", "pandas", "soundfile", "soxr"},
        *{"safetensors", "click", "rich", "tabulate", "matplotlib", "jinja2"},
    },
}


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> list[tuple[str, ast.stmt]]:
    found: list[tuple[str, ast.stmt]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            found += [(f"{node.module}.{alias.name}", node) for alias in node.names]
    return found


def within(name: str, roots: set[str]) -> bool:
    return any(name == root or name.startswith(root + ".") for root in roots)


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_package_imports_only_what_its_room_allows(file: Path) -> None:
    module = module_of(file)
    package = module.split(".")[0]
    allowed = ALLOWED[package] | {package}
    if module.startswith("harness.encoders."):
        # HEAR modules are encoders: reached by name, never imported. Their extra is [baselines].
        allowed |= {"dasheng", "torchaudio", "transformers", "huggingface_hub"}
    if within(module, {"dasheng.train"}):
        # The extra [train], and what the package depends on anyway.
        allowed |= {"accelerate", "braceexpand", "webdataset", "yaml"}
        allowed |= {"click", "pandas", "rich", "soundfile", "soxr"}
    strangers = [
        name
        for name, _ in imports(ast.parse(file.read_text()))
        if name.split(".")[0] not in STDLIB and not within(name, allowed)
    ]
    assert strangers == []


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_the_trainer_is_imported_by_none_but_itself(file: Path) -> None:
    """It needs the extra [train]; what it trains does not."""
    if not within(module_of(file), {"dasheng.train"}):
        names = [name for name, _ in imports(ast.parse(file.read_text()))]
        assert not any(within(name, {"dasheng.train"}) for name in names)


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_stand_at_the_top(file: Path) -> None:
    tree = ast.parse(file.read_text())
    nested = [name for name, node in imports(tree) if node not in tree.body]
    assert nested == []


def test_no_import_circle() -> None:
    modules = {module_of(file) for file in FILES}
    edges = {}
    for file in FILES:
        names = [name for name, _ in imports(ast.parse(file.read_text()))]
        near = {name if name in modules else name.rpartition(".")[0] for name in names}
        edges[module_of(file)] = (near & modules) - {module_of(file)}
    while edges:
        leaves = [module for module, near in edges.items() if not near]
        assert leaves, f"circle among {sorted(edges)}"
        edges = {m: near - set(leaves) for m, near in edges.items() if m not in leaves}


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_files_are_short_and_say_what_they_are(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text))


def test_names_say_what_things_are() -> None:
    vague = re.compile(r"utils?|common|misc|manager|helpers?|wrapper|handler")
    assert [str(file) for file in FILES if vague.search(file.stem)] == []


def test_tests_mirror_the_tree() -> None:
    for test in (ROOT / "tests").rglob("test_*.py"):
        if test.parent == ROOT / "tests":
            continue
        package = test.relative_to(ROOT / "tests").parent
        stem = test.stem.removeprefix("test_")
        subject = ROOT / package / stem
        assert subject.with_suffix(".py").exists() or subject.is_dir(), test


def test_architecture_page_names_every_module() -> None:
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    missing = [
        str(file.relative_to(ROOT))
        for file in FILES
        if file.name != "__init__.py" and str(file.relative_to(ROOT)) not in page
    ]
    assert missing == []
    named = re.findall(r"`((?:dasheng|harness|tasks)/[\w/]+\.py)`", page)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_importing_has_no_side_effect() -> None:
    """No seeding, no logging set-up, no change of PyTorch's settings."""
    code = """
import logging, random
import numpy, torch
import rich.progress  # draws from Python's random numbers when it is imported

def settings():
    return (
        torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(),
        len(logging.root.handlers), torch.get_rng_state().tolist(),
        numpy.random.get_state()[1].tolist(), random.getstate(),
    )

before = settings()
import dasheng, dasheng.hear, harness.cli, tasks
import dasheng.train.command, dasheng.train.loop, dasheng.train.wavlist_to_tar
assert settings() == before
assert not torch.cuda.is_initialized()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
