# PointCMT, stage II on ScanObjectNN without background.
_base_ = 'generator_scanobjectnn.py'
requires = dict(teacher='mvcnn_resnet18_obj_only.py')
variant = 'OBJ_ONLY'
