"""The front end for a CPU: the ear's turns in, a synthesised voice out."""
