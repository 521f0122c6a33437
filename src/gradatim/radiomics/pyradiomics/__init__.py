"""The features, names and processing of PyRadiomics 3.1, measured from our own counts."""
