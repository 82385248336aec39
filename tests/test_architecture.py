"""The arrows between the folders, read off the imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from deepfake_tfdata.cli import COMMANDS

PACKAGE = Path(__file__).parent.parent / "deepfake_tfdata"
# Leaves that anybody may import.
COMMON = {"background", "cores", "errors", "files", "options", "pixels", "startup", "storage"}
ALLOWED = {
    "clips": set(),
    "video": {"clips"},
    "records": {"clips"},
    "input": {"clips", "records"},
    "model": set(),
    "evaluation": set(),
    "audits": {"clips", "video", "records", "evaluation"},
    "scoring": {"clips", "input", "model", "evaluation"},
    "verdicts": {"clips", "records", "scoring", "evaluation"},
    # It computes nothing, and only a command or TensorBoard's pictures ask for it.
    "reports": {"clips", "records", "evaluation", "audits", "verdicts"},
    "serving": {"clips", "records", "scoring", "verdicts", "reports"},
    "exports": {"clips", "input", "model", "scoring", "evaluation"},
    "training": {"clips", "input", "model", "scoring", "evaluation", "reports"},
    "studies": {"clips", "records", "input", "model", "scoring", "training", "evaluation", "reports"},
}
FORBIDDEN_LIBRARIES = {
    "clips": {"tensorflow", "keras", "cv2", "av"},
    "video": {"tensorflow", "keras"},
    "records": {"keras", "cv2", "av", "PIL"},
    "input": {"keras", "cv2", "av", "PIL"},
    "model": {"tensorflow", "cv2", "av", "PIL"},
    "evaluation": {"tensorflow", "keras", "cv2", "av", "PIL", "matplotlib", "jinja2"},
    "audits": {"tensorflow", "keras", "cv2", "av", "PIL", "matplotlib", "jinja2"},
    "reports": {"tensorflow", "keras", "cv2", "av"},
    "scoring": {"cv2", "av", "PIL", "matplotlib", "jinja2"},
    "exports": {"cv2", "av", "PIL", "matplotlib", "jinja2"},
    "training": {"cv2", "av", "PIL", "matplotlib", "jinja2"},
    "verdicts": {"tensorflow", "keras", "cv2", "av", "PIL", "matplotlib", "jinja2"},
    "serving": {"tensorflow", "keras", "cv2", "av", "PIL", "matplotlib", "jinja2"},
    "studies": {"cv2", "av", "PIL", "matplotlib", "jinja2"},
}


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return names


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_comes_before_it(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("deepfake_tfdata.")}
        assert ours <= ALLOWED[folder] | COMMON | {folder}, path
        libraries = {name.split(".")[0] for name in imports(path)}
        assert not libraries & FORBIDDEN_LIBRARIES[folder], path
        assert "absl" not in libraries, f"{path}: only commands read flags"
        assert not libraries & {"tools", "tests"}, path


def test_only_what_own_processes_send_is_unpickled_freely():
    # Whoever can write a file or a message that is unpickled runs code here.
    unpickling = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    users = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if imports(path) & unpickling
    }
    # model/torch_file.py reads what others wrote, but its unpickler runs nothing of it.
    assert users == {"records/outcome.py", "model/torch_file.py"}


def test_no_leaf_makes_a_report():
    for path in PACKAGE.glob("*.py"):
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("deepfake_tfdata.")}
        assert "reports" not in ours or path.stem in COMMANDS, path


def test_every_folder_has_its_rule():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ALLOWED)


def test_importing_the_package_or_a_worker_costs_no_tensorflow():
    # Worker processes of the converter import these.
    code = (
        "import sys, deepfake_tfdata, deepfake_tfdata.convert, deepfake_tfdata.video.process; "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
