# ModelNet-C (Ren et al., ICML 2022): 7 corruptions at 5 levels of ModelNet40's test shapes. For
# tools/test.py only; training, validation and test stay as in the config that this is added to.
corruptions_root = 'data/modelnet_c'
renormalize = 'none'  # 'sphere' and 'box+sphere' are not the official protocol
corruptions = dict(suite='modelnet-c', data_root=corruptions_root, renormalize=renormalize)
