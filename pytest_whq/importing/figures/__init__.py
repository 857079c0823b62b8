"""The figures of results: modelled ones, doubts about them, and the run that they become."""
