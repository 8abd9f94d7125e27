# Podium: one image for the web server, the worker and the clock.
FROM python:3.12-slim AS build
WORKDIR /srv/podium
COPY pyproject.toml constraints.txt README.md LICENSE manage.py ./
COPY registry_site ./registry_site
RUN python -m venv /opt/podium && /opt/podium/bin/pip install --no-cache-dir -c constraints.txt -e ".[azure,gcs,oidc,parquet]"

FROM python:3.12-slim
ENV PATH=/opt/podium/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PODIUM_DATA_DIR=/var/lib/podium
RUN useradd --system --home-dir /var/lib/podium podium \
    && install -d -o podium -g podium -m 0700 /var/lib/podium /var/lib/podium/mail
COPY --from=build /opt/podium /opt/podium
COPY --from=build /srv/podium /srv/podium
WORKDIR /srv/podium
COPY templates ./templates
COPY static ./static
USER podium
RUN PODIUM_SECRET_KEY=only-while-the-image-is-built python manage.py collectstatic --noinput --verbosity 0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "registry_site/container/is_healthy.py", "http://127.0.0.1:8000/health"]
CMD ["gunicorn", "--config", "registry_site/container/gunicorn.conf.py", "registry_site.wsgi:application"]
