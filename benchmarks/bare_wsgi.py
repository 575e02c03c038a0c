"""What the pages are measured against: a Flask view that makes one query by its key on the same database."""

import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
db = SQLAlchemy(app)


@app.get("/healthz")
def tell_health() -> str:
    """Answer at all."""
    return "ok"


@app.get("/bare/<int:delivery_id>")
def show(delivery_id: int) -> str:
    """Answer where a delivery stands."""
    query = text("SELECT status FROM alert_deliveries WHERE id = :id")
    return str(db.session.scalar(query, {"id": delivery_id}))
