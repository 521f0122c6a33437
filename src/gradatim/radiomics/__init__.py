"""From a map and its regions to features: one catalogue record a feature, IBSI names, codes and values."""
