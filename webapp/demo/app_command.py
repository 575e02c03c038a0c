"""Runs a command of the application that the supervisor has made, in a fork of it: `flask worker` and the like.

Flask's own command line would first load the commands of every installed package, with what these need.
"""

from flask.cli import ScriptInfo

from webapp.demo.supervisor import preloading


def main() -> None:
    """Run the command given on the command line."""
    app = preloading.app
    app.cli.main(obj=ScriptInfo(create_app=lambda: app))


if __name__ == "__main__":
    main()
