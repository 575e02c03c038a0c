"""The reference for the pages: a Flask view with one query by primary key on the same database."""

import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
db = SQLAlchemy(app)


@app.get("/healthz")
def show_health() -> str:
    """Return 200."""
    return "ok"


@app.get("/bare/<int:delivery_id>")
def show(delivery_id: int) -> str:
    """Return the status of a delivery."""
    query = text("SELECT status FROM alert_deliveries WHERE id = :id")
    return str(db.session.scalar(query, {"id": delivery_id}))
