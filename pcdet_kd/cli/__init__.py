"""Commands: ``pcdet-kd COMMAND`` and the files in ``tools/`` both end here."""

import sys
from importlib import import_module

COMMANDS = {
    'train': 'train a config and all that it requires',
    'test': "evaluate a checkpoint on a config's test split, plain or with votes, or on a "
    'corruption suite',
    'predict': 'classify point clouds of files and folders with a trained model',
    'export': 'export a trained model to ONNX, torch.export or safetensors, and compare both',
    'run-table': 'train a table of configs with several seeds, and write it beside published '
    'numbers',
    'diagnose': 'say what distillation did to a student, on a page',
    'compare': 'compare models by their predictions on the same test shapes, with paired tests',
    'probe': "test a backbone's frozen features with a linear SVM and nearest neighbours",
    'few-shot': 'evaluate a pre-trained backbone on few-shot tasks',
    'demo': 'run PointCMT end to end on generated data in a few minutes',
    'build-feature-bank': "compute a teacher's outputs for a config once",
    'print-config': 'show a config with everything that it inherits',
    'download': 'download a published data set, or say how to get it',
    'doctor': 'say what is broken, slow or missing: doctor env, data, config or ckpt',
    'models': 'list the models with parameters and published results',
    'get-flops': "count a config's parameters and operations",
    'benchmark': "measure a config's samples per second on this machine",
    'from-official': 'convert a published checkpoint to one of this project',
    'browse-dataset': 'draw samples after each transform of a pipeline',
    'draw-curves': 'draw the learning curves of runs',
    'confusion-matrix': "draw the confusion matrix of a run's predictions",
    'tsne': "draw a trained model's features in a plane",
    'saliency': 'draw clouds coloured by how much each point speaks for a class',
    'playground': 'write a page to play with corruptions of clouds and what models say',
    'draw-crops': 'draw the crops and masks that a pre-training makes of a cloud',
    'draw-parts': "draw clouds with a segmentor's parts beside the true ones",
    'render-views': 'render a folder of meshes from many sides',
    'robustness-report': 'write a report on models that were evaluated on a corruption suite',
    'scannet-cls': "cut ScanNet's scenes into the objects of ScanNetV2_cls",
    'corrupt': 'generate a set like ModelNet40-C or ModelNet-C from any point-cloud data set',
    'pack': 'put the clouds of a folder or a data set into a store, of which a million can be read',
    'completion': 'print a script for bash or zsh that completes commands, options and models',
    'synthetic-scans': "write the generated data set as files in ScanObjectNN's layout",
}


def main() -> int:
    """Run ``pcdet-kd COMMAND ...`` and return its exit code."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ('-h', '--help'):
        print(
            'usage: pcdet-kd COMMAND ...\n\nPoint-cloud classification with knowledge '
            'distillation.\n'
        )
        print('\n'.join(f'  {name:20} {text}' for name, text in COMMANDS.items()))
        print('\npcdet-kd COMMAND --help shows the options of a command.')
        return 0
    if arguments[0] not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(arguments[0], COMMANDS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ''
        print(
            f"pcdet-kd: no command '{arguments[0]}'.{hint} It takes: {', '.join(COMMANDS)}",
            file=sys.stderr,
        )
        return 2
    sys.argv = [f'pcdet-kd {arguments[0]}', *arguments[1:]]
    return import_module(f'pcdet_kd.cli.{arguments[0].replace("-", "_")}').main()
