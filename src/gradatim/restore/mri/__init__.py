"""Images from undersampled k-space: coil maps, noise, sparsity, and the choice of its weight."""
