"""Who makes the calls that are measured: `whq(call)` in rounds, `whq.load` in lanes, the test itself."""
