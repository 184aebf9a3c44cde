# AsymDSD-S fine-tuned, objects with background. Published: 94.32 OA.
_base_ = './finetune_scanobjectnn.py'

variant = 'OBJ_BG'
