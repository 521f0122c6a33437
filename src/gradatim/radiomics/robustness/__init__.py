"""How far features change when image and region are moved, made noisier or drawn again."""
