"""Draw the confusion matrix of a run's predictions on its test split."""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run', help='work directory, or a file of predictions')
    parser.add_argument(
        '--epoch',
        choices=['last', 'best'],
        default='last',
        help='of a work directory: the last epoch, or the best on the validation split '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--out', default='confusion_matrix.png', metavar='FILE', help='image (%(default)s)'
    )
    args = parser.parse_args()

    from pcdet_kd.evaluation.functional import confusion_matrix
    from pcdet_kd.evaluation.predictions import read_predictions
    from pcdet_kd.visualization import draw_confusion_matrix

    found = read_predictions(args.run, args.epoch)
    matrix = confusion_matrix(found.gt, found.pred, len(found.classes))
    where = f'{found.file.resolve().parent.name}/{found.file.name}'
    title = f'{where}, test split'
    print(draw_confusion_matrix(matrix, found.classes, args.out, title))
    return 0
