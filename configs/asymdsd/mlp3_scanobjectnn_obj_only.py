# A head of three layers on AsymDSD-S's frozen features, objects without background.
_base_ = './mlp3_scanobjectnn.py'

variant = 'OBJ_ONLY'
