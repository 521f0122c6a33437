"""Images made better: denoised, filled in, deblurred, deconvolved, made finer, made anew."""
