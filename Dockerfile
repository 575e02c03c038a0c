# One image for the web server, the worker and the migrations; compose.yaml says which of them a container is.
# The tag's digest on 2026-10-09 (Python 3.13.16, Debian trixie); docs/releasing.md says how to renew it.
FROM python:3.13-slim@sha256:70729b46c69b4f1e97c4822c1af3df53a1476cf5ddc6c087c0c10bc3a5678c2f

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8000

WORKDIR /app

COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt

COPY wsgi.py ./
COPY migrations migrations
COPY static static
COPY templates templates
COPY webapp webapp
# Once here, because the files are read-only where they run.
RUN python -m compileall -q wsgi.py migrations webapp

# A number, so that whoever runs the image can see that it is not root.
USER 10001:10001

EXPOSE 8000

# It listens on PORT, and starts as many processes as WEB_CONCURRENCY says. The file that tells its parent that a process
# lives is touched all the time, so it is kept in memory.
CMD ["gunicorn", "wsgi:app", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--graceful-timeout", "20"]
