"""A page of classified clouds: each to turn, with the classes that a model holds most probable."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from pcdet_kd.visualization import page as frame
from pcdet_kd.visualization import viewer

UNSURE = 0.5  # a cloud whose best class has less
MOST = 500  # clouds of a page: about 15 kB each
_POINTS = 2048  # of a cloud


def gallery_page(
    predictions: Sequence[Mapping[str, Any]],
    failed: Sequence[Mapping[str, str]],
    protocol: Mapping[str, Any],
    up_axis: str = 'z',
) -> str:
    """Return the page.

    Of more than :data:`MOST` clouds, those are shown whose best score is lowest.

    Args:
        predictions: Dicts with ``name``, ``class``, ``score``, ``top`` (pairs of class and score)
            and ``points`` (N, 3), as
            :class:`~pcdet_kd.apis.PointCloudClassificationInferencer` returns them.
        failed: Dicts with ``name`` and ``reason``.
        protocol: What to say about model and clouds, by key.
        up_axis: ``'x'``, ``'y'`` or ``'z'``, of the points.
    """
    kept = sorted(range(len(predictions)), key=lambda i: predictions[i]['score'])[:MOST]
    shown = [predictions[i] for i in sorted(kept)]
    body = [
        frame.header('Point-cloud classification', 'Predictions', _summary(predictions, failed)),
        frame.protocol('Model and clouds', protocol),
        f'<p class="notice">The {MOST} least sure of {len(predictions):,} clouds are shown.</p>'
        if len(shown) < len(predictions)
        else '',
        _failed(failed),
        f'<p>{escape(viewer.HELP)}</p>' if shown else '',
        _filter(shown) if shown else '',
        f'<div class="tiles">{"".join(_tile(p, up_axis) for p in shown)}</div>',
    ]
    scripts = [viewer.SCRIPT, 'gallery.js'] if shown else []
    return frame.page('Predictions', body, scripts, [viewer.STYLE, 'gallery.css'], wide=True)


def _summary(predictions: Sequence[Mapping], failed: Sequence[Mapping]) -> str:
    counts = Counter(p['class'] for p in predictions).most_common()
    classes = ', '.join(f'{count:,} {name}' for name, count in counts[:6])
    more = f' and {len(counts) - 6} more classes' if len(counts) > 6 else ''
    unsure = sum(p['score'] < UNSURE for p in predictions)
    parts = [f'{len(predictions):,} clouds{": " if classes else ""}{classes}{more}.']
    if unsure:
        parts.append(
            f'{unsure:,} unsure (orange): the best class has less than {100 * UNSURE:.0f} %.'
        )
    if failed:
        parts.append(
            f'{len(failed):,} {"file" if len(failed) == 1 else "files"} could not be read.'
        )
    return ' '.join(parts)


def _failed(failed: Sequence[Mapping[str, str]]) -> str:
    items = ''.join(f'<li>{escape(" ".join(row["reason"].split()))}</li>' for row in failed)
    return f'<section id="failed"><h2>Not read</h2><ul>{items}</ul></section>' if failed else ''


def _filter(shown: Sequence[Mapping]) -> str:
    counts = sorted(Counter(p['class'] for p in shown).items())
    options = ''.join(
        f'<option value="{escape(name)}">{escape(name)} ({count})</option>'
        for name, count in counts
    )
    return (
        '<form class="filter" hidden><label>class <select name="class">'
        f'<option value="">all</option>{options}</select></label>'
        '<label><input type="checkbox" name="unsure"> unsure only</label><output></output></form>'
    )


def _tile(prediction: Mapping[str, Any], up_axis: str) -> str:
    points, name = prediction['points'], prediction['name']
    points = points[:: -(-len(points) // _POINTS)]
    unsure = prediction['score'] < UNSURE
    label = f'{name}: {prediction["class"]}, {100 * prediction["score"]:.0f} %'
    rows = ''.join(
        f'<tr><td class="top-name" style="--share: {100 * score:.0f}%">{escape(each)}</td>'
        f'<td>{100 * score:.0f} %</td></tr>'
        for each, score in prediction['top']
    )
    return (
        f'<figure class="tile{" unsure" * unsure}" data-class="{escape(prediction["class"])}">'
        f'{viewer.cloud_view(points, label, up_axis)}<figcaption>'
        f'<span class="dim" title="{escape(name)}">{escape(PurePath(name).name)}</span>'
        f'{" <span class=word>unsure</span>" * unsure}'
        f'<table class="top"><tbody>{rows}</tbody></table></figcaption></figure>\n'
    )
