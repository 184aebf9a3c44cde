# PointCMT, stage I on ScanObjectNN without background.
_base_ = 'mvcnn_resnet18_scanobjectnn.py'
variant = 'OBJ_ONLY'
