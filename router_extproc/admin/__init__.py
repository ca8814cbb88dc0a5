"""HTTP for operators: metrics, health, explain, cache operations, dashboard."""
