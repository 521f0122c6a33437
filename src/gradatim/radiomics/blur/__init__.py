"""What an imaging system does to detail and noise, measured, modelled, and carried through to texture."""
