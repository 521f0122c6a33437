"""What gradients allow, in closed form, and which limit binds."""
