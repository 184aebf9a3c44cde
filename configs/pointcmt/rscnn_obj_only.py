# PointCMT, stage III: an RS-CNN student on ScanObjectNN without background.
_base_ = 'rscnn_scanobjectnn.py'
requires = dict(teacher='mvcnn_resnet18_obj_only.py', generator='generator_obj_only.py')
variant = 'OBJ_ONLY'
