# A linear layer on AsymDSD-S's frozen features, objects with background. Published: 89.95 OA.
_base_ = './linear_scanobjectnn.py'

variant = 'OBJ_BG'
