"""The door for MLflow's clients: their REST protocol in, one call of a service or query, their JSON out."""
