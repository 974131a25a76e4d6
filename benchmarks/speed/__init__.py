"""What the speed benchmarks share: works, turns, reports."""
