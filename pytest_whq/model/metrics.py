"""The metrics by which energy is told."""

METRICS = (
    "wh_per_query",
    "net_wh_per_query",
    "wh_per_1k_tokens",
    "wh_per_1k_output_tokens",
    "j_per_token",
    "j_per_output_token",
    "wh_total",
    "average_power_w",
)
"""The metrics by which energy is reported and budgeted, headline first."""

QUERY_METRICS = frozenset({"wh_per_query", "net_wh_per_query"})
TOKEN_METRICS = frozenset(
    {"wh_per_1k_tokens", "wh_per_1k_output_tokens", "j_per_token", "j_per_output_token"}
)
