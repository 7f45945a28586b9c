"""Beyond one machine on paper: a model of one file's load, fed with measured figures, and a simulation beside it."""
