# A linear layer on AsymDSD-S's frozen features, objects without background. Published: 88.73 OA.
_base_ = './linear_scanobjectnn.py'

variant = 'OBJ_ONLY'
