_base_ = ['../baseline/pointmlp_modelnet40.py', '../_base_/datasets/modelnetc.py']
