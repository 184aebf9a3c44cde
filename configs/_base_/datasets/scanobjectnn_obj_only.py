# ScanObjectNN without background (OBJ_ONLY): 2,309 and 581 objects, files in
# data_root/main_split_nobg.
_base_ = './scanobjectnn.py'

variant = 'OBJ_ONLY'
