"""`make demo`: the whole way once, on this machine."""
