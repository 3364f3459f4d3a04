"""Everything that acts: normalisers in, the agents that move batches, the worker that runs them."""
