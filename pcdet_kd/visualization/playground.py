"""A page to play with corruptions: pick cloud, corruption and severity, see what models say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import Any

import numpy as np

from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.visualization import page as frame
from pcdet_kd.visualization import viewer


@dataclass
class Version:
    """A cloud in one state.

    Attributes:
        corruption: Its name, or ``'clean'``.
        severity: As in the suite.
        points: (N, 3).
        tops: By model the pairs (class, score) of the most probable classes.
    """

    corruption: str
    severity: int
    points: np.ndarray
    tops: dict[str, list[tuple[str, float]]]


@dataclass
class Played:
    """A cloud in all its states, the clean one first."""

    name: str
    versions: list[Version]


def playground_page(
    played: Sequence[Played], suite: str, protocol: Mapping[str, Any], up_axis: str = 'y'
) -> str:
    """Return the page. All answers are in it: nothing is computed when it is looked at.

    Args:
        played: At least one cloud.
        suite: Name of the suite.
        protocol: What to say about models and corruptions, by key.
        up_axis: ``'x'``, ``'y'`` or ``'z'``, of the points.
    """
    first = played[0].versions[0]
    content = dict(
        severities=list(SUITES[suite].severities),
        kept=[c.name for c in SUITES[suite].corruptions.values() if c.keeps_order],
        models=list(first.tops),
        clouds=[_cloud(each, up_axis) for each in played],
    )
    data = json.dumps(content, separators=(',', ':')).replace('<', '\\u003c')
    names = ''.join(f'<option>{escape(PurePath(each.name).name)}</option>' for each in played)
    still = viewer.cloud_view(first.points, played[0].name, up_axis)
    body = [
        frame.header(
            'Point-cloud classification',
            'Corruption playground',
            'Pick a cloud and a corruption, and see the points move and the answers change.',
        ),
        f'<form class="play" hidden><label>cloud <select name="cloud">{names}</select></label> '
        '<label>corruption <select name="corruption"></select></label> '
        '<label>severity <input type="range" name="severity" min="0" step="1">'
        '<output name="at"></output></label></form>',
        f'<div class="stage"><figure>{still}<figcaption></figcaption></figure>'
        '<div class="answers"></div></div>',
        '<noscript><p class="notice">This page needs scripts to change the cloud.</p></noscript>',
        '<section class="grids"></section>',
        f'<p>{escape(viewer.HELP)} Red points were added by the corruption.</p>',
        frame.protocol('Models and corruptions', protocol),
        '<footer>Severity: as in the suite; at the left end of the slider the cloud is clean. A '
        'corruption draws the same random numbers at each severity.</footer>',
        f'<script type="application/json" id="playground">{data}</script>',
    ]
    return frame.page(
        'Corruption playground',
        body,
        [viewer.SCRIPT, 'playground.js'],
        [viewer.STYLE, 'gallery.css', 'playground.css'],
        wide=True,
    )


def _cloud(played: Played, up_axis: str) -> dict[str, Any]:
    """Return a cloud for the script: all states to one scale, by corruption."""
    scale = viewer.frame_of(*(version.points for version in played.versions))
    states: dict[str, list[dict[str, Any]]] = {}
    for version in played.versions:
        tops = [[[name, round(score, 3)] for name, score in top] for top in version.tops.values()]
        points = viewer.encoded(viewer.quantised(version.points, up_axis, scale))
        states.setdefault(version.corruption, []).append(dict(points=points, tops=tops))
    return dict(name=played.name, states=states)
