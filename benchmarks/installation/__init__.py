"""A real installation for tests and benchmarks: servers, processes, a receiver."""
