"""Commands: ``pcdet-kd COMMAND`` and the files in ``tools/`` both end here."""

import sys
from importlib import import_module

_GROUPS = {
    'Train and test': {
        'demo': 'a teacher, a student with few labels, and the same student taught, in minutes',
        'train': 'train a config and all that it requires, or a model on your own files',
        'test': 'evaluate a checkpoint, plain, with votes, or on a corruption suite',
        'run-table': 'train a table of configs with several seeds, beside published numbers',
        'probe': "test a backbone's frozen features with a linear SVM and nearest neighbours",
        'few-shot': 'evaluate a pre-trained backbone on few-shot tasks',
        'build-feature-bank': "compute a teacher's outputs for a config once",
    },
    'Use a trained model': {
        'predict': 'classify point clouds of files and folders',
        'export': 'write ONNX, torch.export or safetensors, and compare it with the model',
        'playground': 'a page to corrupt clouds and see what student and teacher say',
    },
    'Understand results': {
        'compare': 'compare models on the same test shapes, with paired tests',
        'diagnose': 'what distillation did to a student, on a page',
        'robustness-report': 'a report on models that were evaluated on a corruption suite',
        'draw-curves': 'draw the learning curves of runs',
        'confusion-matrix': "draw the confusion matrix of a run's predictions",
        'saliency': 'draw clouds coloured by how much each point speaks for a class',
        'tsne': "draw a trained model's features in a plane",
        'draw-parts': "draw clouds with a segmentor's parts beside the true ones",
    },
    'Models and configs': {
        'models': 'list the models with parameters and published results',
        'from-official': 'convert a published checkpoint to one of this project',
        'print-config': 'show a config with everything that it inherits',
        'get-flops': "count a config's parameters and operations",
        'benchmark': "measure a config's samples per second on this machine",
    },
    'Data': {
        'download': 'download a published data set, or say how to get it',
        'browse-dataset': 'draw samples after each transform of a pipeline',
        'draw-crops': 'draw the crops and masks that a pre-training makes of a cloud',
        'render-views': 'render a folder of meshes from many sides',
        'corrupt': 'generate a set like ModelNet40-C or ModelNet-C from any data set',
        'pack': 'put the clouds of a folder or a data set into one store',
        'scannet-cls': "cut ScanNet's scenes into the objects of ScanNetV2_cls",
        'synthetic-scans': "write the generated data set as files in ScanObjectNN's layout",
    },
    'This machine': {
        'doctor': 'what is broken, slow or missing: doctor env, data, config or ckpt',
        'completion': 'a script for bash or zsh that completes commands, options and models',
    },
}
COMMANDS = {name: text for group in _GROUPS.values() for name, text in group.items()}


def main() -> int:
    """Run ``pcdet-kd COMMAND ...`` and return its exit code."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ('-h', '--help'):
        print(
            'usage: pcdet-kd COMMAND ...\n\nPoint-cloud classification with knowledge '
            'distillation.\n'
        )
        for title, group in _GROUPS.items():
            print(f'{title}:')
            print('\n'.join(f'  {name:20} {text}' for name, text in group.items()) + '\n')
        print('pcdet-kd COMMAND --help shows the options of a command.')
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
