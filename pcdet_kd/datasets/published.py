"""The published data sets: where their files are, under which terms, and how many clouds they
hold.
"""

from dataclasses import dataclass, field
from typing import Any

from pcdet_kd.datasets.modelnet40 import URL as MODELNET40_URL
from pcdet_kd.datasets.modelnet40_resampled import URL as RESAMPLED_URL
from pcdet_kd.datasets.shapenet_part import HOST
from pcdet_kd.datasets.suites import SUITES

_MODELNET_TERMS = 'academic research only; the CAD models belong to their authors'
_SHAPENET_TERMS = "ShapeNet's terms of use: research and teaching, not commercial"
_SHAPENET_PART: dict[str, Any] = dict(
    kind='ShapeNetPart',
    terms=_SHAPENET_TERMS,
    by_hand='mirrors are on Kaggle',
    counts=dict(train=12_137, val=1870, test=2874),
)


@dataclass(frozen=True)
class Published:
    """A published data set.

    Attributes:
        title: Its name in papers.
        kind: Registered data set that reads it; empty for files that only tools read.
        folder: Its folder below ``data``.
        page: Where it is published.
        terms: Under which terms, in short.
        urls: Addresses of its archive, the original first; none where it has to be got by hand.
        known_hash: ``md5:...`` of the archive; None if none is known. There are mirrors only where
            one is known.
        archive_bytes: Size of the archive, about.
        by_hand: What to do where there is no address, or where none answers.
        counts: Number of clouds of each official split.
        md5: Of the files, where known.
        options: Arguments of the data set besides ``data_root``.
    """

    title: str
    kind: str
    folder: str
    page: str
    terms: str
    urls: tuple[str, ...] = ()
    known_hash: str | None = None
    archive_bytes: int | None = None
    by_hand: str = ''
    counts: dict[str, int] = field(default_factory=dict)
    md5: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


PUBLISHED = {
    # the hashes are those that public loaders of these files check
    'modelnet40': Published(
        'ModelNet40, 2,048 points (HDF5)',
        'ModelNet40',
        'modelnet40_ply_hdf5_2048',
        'modelnet.cs.princeton.edu; sampled by the authors of PointNet',
        _MODELNET_TERMS,
        (
            MODELNET40_URL,
            'https://huggingface.co/datasets/Msun/modelnet40/resolve/main/'
            'modelnet40_ply_hdf5_2048.zip',
            'https://github.com/ma-xu/pointMLP-pytorch/releases/download/Modenet40_dataset/'
            'modelnet40_ply_hdf5_2048.zip',
        ),
        'md5:c9ab8e6dfb16f67afdab25e155c79e59',
        435_000_000,
        counts=dict(train=9840, test=2468),
        md5={
            'ply_data_train0.h5': '3176385ffc31a7b6b5af22191fd920d1',
            'ply_data_train1.h5': 'e3f613fb500559403b34925112754dc4',
            'ply_data_train2.h5': '0c56e233a090ff87c3049d4ce08e7d8b',
            'ply_data_train3.h5': '9d2af465adfa33a3285c369f3ca66c45',
            'ply_data_train4.h5': 'dff38de489b2c41bfaeded86c2208984',
            'ply_data_test0.h5': 'e9732e6d83b09e79e9a7617df058adee',
            'ply_data_test1.h5': 'aba4b12a67c34391cc3c015a6f08ed4b',
        },
    ),
    'modelnet40-resampled': Published(
        'ModelNet40, 10,000 points with normals (text)',
        'ModelNet40Resampled',
        'modelnet40_normal_resampled',
        'modelnet.cs.princeton.edu; sampled by the authors of PointNet++',
        _MODELNET_TERMS,
        (RESAMPLED_URL,),
        by_hand='users report a mirror: chenxaoyu/modelnet-normal-resampled on Kaggle',
        counts=dict(train=9843, test=2468),
    ),
    'modelnet40-meshes': Published(
        'ModelNet40, meshes (OFF), for rendered views',
        '',
        'ModelNet40',
        'modelnet.cs.princeton.edu',
        _MODELNET_TERMS,
        ('https://modelnet.cs.princeton.edu/ModelNet40.zip',),
    ),
    'modelnet40-c': Published(
        SUITES['modelnet40-c'].title,
        'ModelNet40C',
        'modelnet40_c',
        'zenodo.org/records/6017834, github.com/jiachens/ModelNet40-C',
        'CC BY 4.0; the shapes are those of ModelNet40',
        ('https://zenodo.org/records/6017834/files/modelnet40_c.zip',),
        archive_bytes=1_970_000_000,
        counts=dict(test=2468),
        options=dict(corruption='clean'),
    ),
    'modelnet-c': Published(
        SUITES['modelnet-c'].title,
        'ModelNetC',
        'modelnet_c',
        'github.com/jiawei-ren/ModelNet-C',
        'as stated in its repository; the shapes are those of ModelNet40',
        by_hand='download modelnet_c.zip from Google Drive, as linked in github.com/jiawei-ren/'
        'ModelNet-C, and unpack it; or generate a similar set: pcdet-kd corrupt --suite modelnet-c',
        counts=dict(test=2468),
        options=dict(corruption='clean'),
    ),
    'scanobjectnn': Published(
        'ScanObjectNN',
        'ScanObjectNN',
        'ScanObjectNN',
        'hkust-vgd.github.io/scanobjectnn',
        'its terms of use, which you accept in a form',
        by_hand='fill in the form at https://hkust-vgd.github.io/scanobjectnn/ and unpack '
        'h5_files.zip, so that main_split and main_split_nobg are in the folder',
    ),
    'shapenetpart': Published(
        'ShapeNetPart, all points (text)',
        folder='shapenetcore_partanno_segmentation_benchmark_v0_normal',
        page='shapenet.org; prepared by the authors of PointNet++',
        urls=(f'{HOST}/shapenetcore_partanno_segmentation_benchmark_v0_normal.zip',),
        **_SHAPENET_PART,
    ),
    'shapenetpart-h5': Published(
        'ShapeNetPart, 2,048 points (HDF5)',
        folder='hdf5_data',
        page='shapenet.org; prepared by the authors of PointNet',
        urls=(f'{HOST}/shapenet_part_seg_hdf5_data.zip',),
        **_SHAPENET_PART,
    ),
    'shapenet55': Published(
        'ShapeNet-55, 8,192 points',
        'ShapeNet55',
        'ShapeNet55-34',
        'github.com/Julie-tang00/Point-BERT/blob/master/DATASET.md',
        _SHAPENET_TERMS,
        by_hand='get ShapeNet55-34 as linked in '
        'github.com/Julie-tang00/Point-BERT/blob/master/DATASET.md, and unpack it',
        counts=dict(train=41_952, test=10_518),
    ),
    'scannet-cls': Published(
        'ScanNetV2_cls',
        'ScanNetCls',
        'ScanNetV2_cls',
        'github.com/ScanNet/ScanNet',
        "ScanNet's terms of use, which you sign",
        by_hand='request access at github.com/ScanNet/ScanNet, then cut out the objects: '
        'pcdet-kd scannet-cls SCANS LABELS.tsv SPLITS OUT',
        counts=dict(train=12_060, test=3416),
    ),
}
