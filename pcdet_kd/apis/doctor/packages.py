"""The packages that this one needs, and those that it can use."""

from collections.abc import Iterable
from importlib import metadata

from packaging.requirements import Requirement

from pcdet_kd.apis.doctor.report import Report

# name -> what it is for, and how to install it
OPTIONAL = {
    'triton': ('kernels on an NVIDIA GPU', 'pip install triton'),
    'scikit-learn': ('probe, few-shot: the linear SVM', "pip install 'pcdet_kd[optional]'"),
    'transformers': ('image teachers of Hugging Face', "pip install 'pcdet_kd[optional]'"),
    'safetensors': ('weights in safetensors files', "pip install 'pcdet_kd[optional]'"),
    'tensorboard': ('TensorboardVisBackend: curves', "pip install 'pcdet_kd[optional]'"),
    'wandb': ('WandbVisBackend: curves on wandb.ai, or off-line', 'pip install wandb'),
    'mlflow': ('MLflowVisBackend: curves in MLflow', 'pip install mlflow'),
    'laspy': ('point clouds in las and laz files', "pip install 'pcdet_kd[optional]'"),
    'onnx': ('export to ONNX', "pip install 'pcdet_kd[export]'"),
    'onnxruntime': ('running exported ONNX files', "pip install 'pcdet_kd[export]'"),
    'onnxscript': ('export to ONNX', "pip install 'pcdet_kd[export]'"),
}


def version_of(name: str) -> str | None:
    """Return the version of an installed package, or None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def required() -> list[Requirement]:
    """Return what this package needs to run; nothing if it runs without having been installed."""
    try:
        lines = metadata.requires('pcdet_kd') or []
    except metadata.PackageNotFoundError:
        return []
    found = [Requirement(line) for line in lines]
    # those of extras are the optional ones
    return [one for one in found if one.marker is None or one.marker.evaluate({'extra': ''})]


def check_required(requirements: Iterable[Requirement], report: Report) -> dict[str, str | None]:
    """Return the installed version of each required package, and report those that are missing or
    of another version.
    """
    versions = {}
    for one in requirements:
        version = versions[one.name] = version_of(one.name)
        wanted = f'{one.name}{one.specifier}'
        if one.name == 'mmcv-lite' and version is None and (full := version_of('mmcv')):
            version = versions[one.name] = full  # the full package has all of it
        if version is None:
            report.add('broken', one.name, 'not installed', f"pip install '{wanted}'")
        elif not one.specifier.contains(version, prereleases=True):
            text = f'version {version} is installed, {one.specifier} is needed'
            report.add('broken', one.name, text, f"pip install '{wanted}'")
    return versions


def optional_rows() -> list[dict[str, str | None]]:
    """Return a row per optional package: its version, what it is for, and how to install it if it
    is missing.
    """
    rows = []
    for name, (purpose, install) in OPTIONAL.items():
        version = version_of(name)
        rows.append(
            dict(
                package=name,
                version=version,
                used_for=purpose,
                install=None if version else install,
            )
        )
    return rows
