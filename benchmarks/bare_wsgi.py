"""The references for the pages: Flask views with one plain query on the same database."""

import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

ROWS = """<!doctype html><title>Rows</title><table>
{% for row in rows %}<tr><td><a href="/d/{{ row.id }}">{{ row.name }}</a></td><td>{{ row.type }}</td>
<td>{{ row.status }}</td><td>{{ row.updated_at }}</td></tr>{% endfor %}
</table>"""

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


@app.get("/bare/list/<slug>")
def show_list(slug: str) -> str:
    """List a workspace's first 100 destinations, without what became of their tests."""
    query = text(
        "SELECT d.id, d.name, d.type, d.is_enabled AS status, d.updated_at FROM alert_destinations d "
        "WHERE d.workspace_id = (SELECT id FROM workspaces WHERE slug = :slug) ORDER BY d.name LIMIT 100"
    )
    return _rows.render(rows=db.session.execute(query, {"slug": slug}).all())


@app.get("/bare/history/<slug>")
def show_history(slug: str) -> str:
    """List a workspace's newest 50 deliveries."""
    query = text(
        "SELECT a.id, d.name, d.type, a.status, a.updated_at FROM alert_deliveries a "
        "JOIN alert_destinations d ON d.id = a.alert_destination_id "
        "WHERE a.workspace_id = (SELECT id FROM workspaces WHERE slug = :slug) "
        "ORDER BY a.created_at DESC, a.id DESC LIMIT 50"
    )
    return _rows.render(rows=db.session.execute(query, {"slug": slug}).all())


_rows = app.jinja_env.from_string(ROWS)
