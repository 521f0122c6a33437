"""From attenuation under gradients to what moves, and in which space."""
