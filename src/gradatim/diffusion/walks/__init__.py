"""Random walks of spins in pore spaces: the signal of any waveform where no closed form reaches."""
