# A head of three layers on AsymDSD-S's frozen features, objects with background.
_base_ = './mlp3_scanobjectnn.py'

variant = 'OBJ_BG'
