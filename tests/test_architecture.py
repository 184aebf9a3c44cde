"""The rules of the house that a machine can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'pcdet_kd'
MODULES = sorted(PACKAGE.rglob('*.py'))
MAX_LINES = 350

# Imports go from later to earlier rows; within a row in one direction at most.
ROWS = [
    {'registry', 'plugins'},
    {'utils'},
    {'structures', 'ops'},
    {'layers', 'losses', 'views'},
    {'datasets'},
    {'backbones', 'heads'},
    {'models'},
    {'teachers'},
    {'distillers'},
    {'engine', 'evaluation', 'visualization'},
    {'apis', 'testing'},
    {'cli'},
]
RANK = {folder: rank for rank, row in enumerate(ROWS) for folder in row}

# Modules without a test file of their own, and why.
COVERED_ELSEWHERE = {
    'apis/official_archs.py': 'a table; every row is tested in test_official.py',
    'datasets/modelnet40c.py': 'both suites are tested side by side in test_corrupted.py',
    'datasets/modelnetc.py': 'both suites are tested side by side in test_corrupted.py',
    'datasets/scannet_objects.py': 'what it writes is read in test_scannet_cls.py',
    'structures/outputs.py': 'two named tuples without behaviour',
    'utils/errors.py': 'messages; every module that raises them tests them',
}
COVERED_FOLDERS = {
    'ops/cpu': 'each kernel is compared with the plain-torch reference in the test of its public '
    'function',
    'cli': 'commands are run as commands in tests/test_tools',
}


def folder(path: Path) -> str:
    """Return the part of the package that a file belongs to: its top folder, or a top-level
    module's own name.
    """
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path: Path) -> set[str]:
    """Return the parts of the package that a file imports anywhere, type-checking and function
    bodies included.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path.relative_to(ROOT)}:{node.lineno}: relative import'
            names = [f'{node.module}.{alias.name}' for alias in node.names]
        found |= {name.split('.')[1] for name in names if name.startswith('pcdet_kd.')}
    return found - {'__version__'}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_module = pytest.mark.parametrize('path', MODULES, ids=name_of)


@each_module
def test_imports_go_downwards(path):
    if path == PACKAGE / '__init__.py':
        assert not imports(path)
        return
    own = folder(path)
    assert own in RANK, f'pcdet_kd/{own} has no place in the order of imports: {ROWS}'
    upwards = {other for other in imports(path) if RANK[other] > RANK[own]}
    assert not upwards, f'{name_of(path)} imports {sorted(upwards)}, which come after {own}'


def test_no_two_folders_import_each_other():
    edges = {
        (folder(path), other)
        for path in MODULES
        for other in imports(path)
        if other != folder(path)
    }
    mutual = sorted((a, b) for a, b in edges if a < b and (b, a) in edges)
    assert not mutual


@each_module
def test_file_is_one_idea(path):
    lines = len(path.read_text().splitlines())
    assert lines <= MAX_LINES, f'{lines} lines, at most {MAX_LINES}: two ideas?'


@each_module
def test_no_shortcuts(path):
    text = path.read_text()
    assert not re.search(r'TODO|FIXME|XXX', text)
    for node in ast.walk(ast.parse(text)):
        where = f'{name_of(path)}:{getattr(node, "lineno", 0)}'
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != '*' for alias in node.names), f'{where}: star import'
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                assert node.func.attr != 'cuda', f'{where}: .cuda(); use .to(device)'
            if isinstance(node.func, ast.Name) and node.func.id == 'print':
                assert folder(path) == 'cli', f'{where}: print; use print_log'


@each_module
def test_docstrings(path):
    tree = ast.parse(path.read_text())
    if path.name != '__init__.py' or tree.body:
        assert ast.get_docstring(tree), f'{name_of(path)} has no docstring'
    missing = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith('_')
        and not ast.get_docstring(node)
    ]
    assert not missing, f'{name_of(path)}: no docstring on {missing}'


@pytest.mark.parametrize(
    'path',
    [
        p
        for p in MODULES
        if p.name == '__init__.py'
        and p.parent not in (PACKAGE, PACKAGE / 'ops' / 'kernels', PACKAGE / 'cli')
    ],
    ids=name_of,
)
def test_folders_say_what_is_public(path):
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    public = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '__all__'
    ]
    if imported:
        assert public, f'{name_of(path)} has no __all__'
        assert set(public[0]) <= imported | {
            n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))
        }


def mirror(path: Path) -> Path:
    """Return the test file of a module: pcdet_kd/x/y/z.py → tests/test_x/test_y/test_z.py."""
    return ROOT.joinpath('tests', *(f'test_{part}' for part in path.relative_to(PACKAGE).parts))


@pytest.mark.parametrize('path', [p for p in MODULES if p.name != '__init__.py'], ids=name_of)
def test_module_has_its_test(path):
    inside = path.relative_to(PACKAGE).as_posix()
    if inside in COVERED_ELSEWHERE or any(
        inside.startswith(f'{covered}/') for covered in COVERED_FOLDERS
    ):
        return
    assert mirror(path).is_file(), f'{name_of(mirror(path))} is missing'


def test_exceptions_are_needed():
    for inside in COVERED_ELSEWHERE:
        assert (PACKAGE / inside).is_file() and not mirror(PACKAGE / inside).is_file(), (
            f'{inside} needs no exception'
        )
    for inside in COVERED_FOLDERS:
        assert (PACKAGE / inside).is_dir()


def test_no_paths_of_one_machine():
    files = [path for path in ROOT.iterdir() if path.is_file()]
    for name in ('pcdet_kd', 'configs', 'tools', 'tests', 'docs', 'requirements', '.ci'):
        files += [
            path
            for path in (ROOT / name).rglob('*')
            if path.is_file() and '_build' not in path.parts
        ]
    text = ('.py', '.md', '.toml', '.txt', '.yml', '.yaml', '.sh', '.cff')
    files = [path for path in files if path.suffix in text or path.name in ('Makefile', 'run')]
    found = [
        f'{name_of(path)}: {hit}'
        for path in files
        for hit in re.findall(r'(?<![\w.])/(?:tmp|home|root|work)/\S*', path.read_text())
    ]
    assert not found


@pytest.mark.parametrize(
    'module, banned',
    [
        ('pcdet_kd', ('torch', 'mmengine', 'numpy')),
        ('pcdet_kd.cli', ('torch', 'mmengine', 'numpy')),
        ('pcdet_kd.registry', ('torch', 'mmengine.runner', 'pcdet_kd.models', 'pcdet_kd.datasets')),
        ('pcdet_kd.plugins', ('torch', 'mmengine')),
        ('pcdet_kd.visualization', ('matplotlib', 'torch')),
    ],
)
def test_imports_are_light(module, banned):
    code = f'import sys, {module}; print(*(m for m in {banned!r} if m in sys.modules))'
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
