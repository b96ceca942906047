FROM python:3.12-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
WORKDIR /app

# What is depended on changes seldom: a layer of its own, every package checked against its hash.
COPY requirements.lock .
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY projections projections
COPY api api
RUN pip install --no-deps --no-build-isolation . \
    && useradd --create-home merit

# An embedded ledger, where no other is named, stands in the home of the user.
USER merit
WORKDIR /home/merit
ENV MERIT_HOST=0.0.0.0 MERIT_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:$MERIT_PORT/health/live', timeout=2)"
CMD ["merit", "serve"]
