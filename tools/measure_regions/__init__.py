"""How often a region's box holds what its name says, on photographed faces that move."""
