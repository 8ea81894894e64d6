"""The evaluation of section 4 of the paper, on real data and with the hub's own search."""
