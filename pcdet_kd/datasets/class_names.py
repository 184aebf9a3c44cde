"""Class names in label order."""

SCANOBJECTNN = ('bag', 'bin', 'box', 'cabinet', 'chair', 'desk', 'display', 'door', 'shelf', 'table', 'bed', 'pillow',
                'sink', 'sofa', 'toilet')

MODELNET40 = ('airplane', 'bathtub', 'bed', 'bench', 'bookshelf', 'bottle', 'bowl', 'car', 'chair', 'cone', 'cup',
              'curtain', 'desk', 'door', 'dresser', 'flower_pot', 'glass_box', 'guitar', 'keyboard', 'lamp', 'laptop',
              'mantel', 'monitor', 'night_stand', 'person', 'piano', 'plant', 'radio', 'range_hood', 'sink', 'sofa',
              'stairs', 'stool', 'table', 'tent', 'toilet', 'tv_stand', 'vase', 'wardrobe', 'xbox')

SCANNET17 = ('trash_bin', 'basket', 'bathtub', 'bed', 'shelf', 'cabinet', 'chair', 'keyboard', 'tv', 'lamp', 'laptop',
             'microwave', 'pillow', 'printer', 'sofa', 'stove', 'table')
