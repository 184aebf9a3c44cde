import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Puts configs, tools and the model index into a wheel, where mim and ``pcdet_kd.apis`` look
    for them.
    """

    def run(self):
        super().run()
        if not self.editable_mode:
            for name in ('configs', 'tools', 'model-index.yml'):
                target = Path(self.build_lib, 'pcdet_kd', '.mim', name)
                if Path(name).is_dir():
                    shutil.copytree(
                        name,
                        target,
                        dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns('__pycache__'),
                    )
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(name, target)


setup(cmdclass={'build_py': BuildWithConfigs})
