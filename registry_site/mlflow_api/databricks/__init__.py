"""Endpoints that MLflow's own protocol has not, and Databricks' clients ask for."""
