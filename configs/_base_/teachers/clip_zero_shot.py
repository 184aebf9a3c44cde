# CLIP on six grey images of the points and on the names of the classes: a teacher that needs no
# label and no training.
hf_model = 'models/clip'  # hf download openai/clip-vit-base-patch32 --local-dir models/clip
image_size = 224
teacher = dict(
    type='HFImageTeacher',
    hf_model=hf_model,
    views=dict(
        type='PerspectiveProjection',
        mode='grey',
        image_size=image_size,
        footprint=4,
        overlap='nearest',
    ),
    head=dict(type='CLIPTextHead', templates=('a depth map of a {}.',)),
)
