# ModelNet40-C (Sun et al., 2022): 15 corruptions at 5 severities of ModelNet40's test shapes. For
# tools/test.py only; training, validation and test stay as in the config that this is added to.
corruptions_root = 'data/modelnet40_c'
renormalize = 'none'  # 'sphere' and 'box+sphere' are not the official protocol
corruptions = dict(suite='modelnet40-c', data_root=corruptions_root, renormalize=renormalize)
