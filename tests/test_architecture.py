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
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)

# Imports go from later to earlier rows; within a row in one direction at most.
ROWS = [
    {'registry', 'plugins'},
    {'utils'},
    {'structures', 'ops'},
    {'layers', 'losses', 'views', 'corruptions'},
    {'datasets'},
    {'backbones', 'heads'},
    {'models'},
    {'teachers'},
    {'distillers'},
    {'engine', 'evaluation', 'visualization'},
    {'robustness'},
    {'apis', 'testing'},
    {'cli'},
]
RANK = {folder: rank for rank, row in enumerate(ROWS) for folder in row}

# Modules without a test file of their own, and why.
COVERED_ELSEWHERE = {
    'apis/official_archs.py': 'a table; every row is tested in test_official.py',
    'apis/official_keys.py': 'tables; every rule is used by a row of official_archs.py',
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


# Each file is read and parsed once for all rules.
TEXTS = {path: path.read_text() for path in MODULES}
TREES = {path: ast.parse(text) for path, text in TEXTS.items()}


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
    names = []
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f'{node.module}.{alias.name}' for alias in node.names]
    return {name.split('.')[1] for name in names if name.startswith('pcdet_kd.')} - {'__version__'}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def upward_imports(path):
    own = folder(path)
    if path == PACKAGE / '__init__.py':
        found = imports(path)
    elif own in RANK:
        found = {other for other in imports(path) if RANK[other] > RANK[own]}
    else:
        return [f'pcdet_kd/{own} has no place in the order of imports: {ROWS}']
    return [f'imports {other}, which comes after {own}' for other in sorted(found)]


def length(path):
    lines = len(TEXTS[path].splitlines())
    return [f'{lines} lines, at most {MAX_LINES}: two ideas?'] * (lines > MAX_LINES)


def shortcuts(path):
    for word in re.findall(r'TODO|FIXME|XXX', TEXTS[path]):
        yield f'contains {word}'
    for node in ast.walk(TREES[path]):
        line = getattr(node, 'lineno', 0)
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield f'{line}: relative import'
            if any(alias.name == '*' for alias in node.names):
                yield f'{line}: star import'
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr == 'cuda':
                yield f'{line}: .cuda(); use .to(device)'
            if getattr(node.func, 'id', '') == 'print' and folder(path) != 'cli':
                yield f'{line}: print; use print_log'


def missing_docstrings(path):
    tree = TREES[path]
    if (path.name != '__init__.py' or tree.body) and not ast.get_docstring(tree):
        yield 'no docstring'
    for node in tree.body:
        if isinstance(node, DEFINITIONS) and not (
            node.name.startswith('_') or ast.get_docstring(node)
        ):
            yield f'no docstring on {node.name}'


def unclear_interface(path):
    if path.name != '__init__.py' or path.parent in (PACKAGE, PACKAGE / 'cli'):
        return
    body = TREES[path].body
    imported = {
        alias.asname or alias.name
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    public = [
        ast.literal_eval(node.value)
        for node in body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '__all__'
    ]
    if imported and not public:
        yield 'has no __all__'
    defined = {node.name for node in body if isinstance(node, DEFINITIONS)}
    for name in set(*public) - imported - defined if imported else ():
        yield f'__all__ names {name}, which is not there'


def mirror(path: Path) -> Path:
    """Return the test file of a module: pcdet_kd/x/y/z.py → tests/test_x/test_y/test_z.py."""
    return ROOT.joinpath('tests', *(f'test_{part}' for part in path.relative_to(PACKAGE).parts))


def missing_test(path):
    inside = path.relative_to(PACKAGE).as_posix()
    excused = inside in COVERED_ELSEWHERE or any(
        inside.startswith(f'{covered}/') for covered in COVERED_FOLDERS
    )
    if path.name != '__init__.py' and not excused and not mirror(path).is_file():
        yield f'{name_of(mirror(path))} is missing'


@pytest.mark.parametrize(
    'rule',
    [upward_imports, length, shortcuts, missing_docstrings, unclear_interface, missing_test],
    ids=lambda rule: rule.__name__,
)
def test_every_module_keeps_the_rule(rule):
    faults = [f'{name_of(path)}: {fault}' for path in MODULES for fault in rule(path)]
    assert not faults, '\n'.join(faults)


def test_no_two_folders_import_each_other():
    edges = {
        (folder(path), other)
        for path in MODULES
        for other in imports(path)
        if other != folder(path)
    }
    mutual = sorted((a, b) for a, b in edges if a < b and (b, a) in edges)
    assert not mutual


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
