"""Descriptions of models that many people have: nobody has to write these down again."""

from inpainting_models.model_file_description import Masks, ModelDescription, Pictures

PRESETS = {
    # LaMa as ONNX (the widespread 512x512 export): masks like ours, but pictures come back as 0 to 255.
    "lama": ModelDescription(
        image=Pictures((0.0, 1.0)),
        mask=Masks(hole=1.0, known=0.0),
        output=Pictures((0.0, 255.0)),
        layout="nchw",
        multiple=8,
        training_size=(512, 512),
    ),
    # MI-GAN's ONNX pipeline: bytes in and out, any size (it scales and stitches inside), and white is *known*.
    "migan": ModelDescription(
        image=Pictures((0.0, 255.0)),
        mask=Masks(hole=0.0, known=255.0),
        output=Pictures((0.0, 255.0)),
        layout="nchw",
        training_size=(512, 512),
        # It crops around the holes of the whole batch.
        batch=False,
    ),
    # This project's networks, for files of other formats that were exported from them.
    "gmcnn": ModelDescription(
        image=Pictures((-1.0, 1.0), channels="bgr"),
        output=Pictures((-1.0, 1.0), channels="bgr"),
        multiple=4,
        training_size=(256, 256),
    ),
    "pconv": ModelDescription(mask=Masks(hole=0.0, known=1.0, channels=3), multiple=256, training_size=(512, 512)),
}
