_base_ = ['../baseline/dgcnn_modelnet40.py', '../_base_/datasets/modelnetc.py']
