"""The web server in production: threads, so that long uploads and downloads do not hold up small requests."""

import os

bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
keepalive = 60
timeout = 60  # seconds without a sign of life of a worker, not of a request
graceful_timeout = 30
max_requests = 20_000
max_requests_jitter = 2_000
limit_request_line = 8190  # filters travel in addresses
accesslog = None
loglevel = "warning"
logger_class = "registry_site.worker.web_log.WebLog"
