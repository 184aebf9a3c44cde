# PointCMT with a teacher that starts from ImageNet, or from random weights.
title = 'PointCMT: does the teacher start from ImageNet?'
note = (
    'PointNet++ on ModelNet40, teacher on rendered views. The first teacher reads '
    "data/resnet18-f37072fd.pth, torchvision's file of ImageNet weights."
)
metrics = ('accuracy',)
reference = 'student alone'
_config = '../pointcmt/pointnet2_modelnet40_views.py'
rows = [
    dict(label='student alone', config=_config, alone=True, published=93.4),
    dict(
        label='teacher from ImageNet',
        config=_config,
        stage_options={'teacher.pretrained': 'data/resnet18-f37072fd.pth'},
        published=94.4,
    ),
    dict(label='teacher from random weights', config=_config, published=94.2),
]
