"""A real installation for tests and benchmarks: servers, processes and a receiver."""
