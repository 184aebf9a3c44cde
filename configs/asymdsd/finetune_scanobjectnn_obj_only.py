# AsymDSD-S fine-tuned, objects without background. Published: 91.91 OA.
_base_ = './finetune_scanobjectnn.py'

variant = 'OBJ_ONLY'
