# One image for the web server, the worker and the migrations; compose.yaml selects which of them a container runs.
# The tag's digest on 2026-10-09 (Python 3.13.16, Debian trixie); docs/releasing.md describes how to update it.
FROM python:3.13-slim@sha256:70729b46c69b4f1e97c4822c1af3df53a1476cf5ddc6c087c0c10bc3a5678c2f

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8000

WORKDIR /app

COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt

COPY gunicorn.conf.py ./
COPY wsgi.py ./
COPY migrations migrations
COPY static static
COPY templates templates
COPY webapp webapp
# Compiled here, because the files are read-only at run time.
RUN python -m compileall -q wsgi.py migrations webapp

# A number, so that container engines can verify that it is not root.
USER 10001:10001

EXPOSE 8000

# gunicorn listens on PORT and starts WEB_CONCURRENCY processes. Its other settings are in webapp/web_server/gunicorn.py.
CMD ["gunicorn", "wsgi:app"]
