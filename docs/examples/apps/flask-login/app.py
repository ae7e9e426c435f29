"""Notes, with Flask-Login: who is logged in stands in Flask's session, which is a signed cookie or in this process."""

import os
import sys

from cachelib import FileSystemCache, SimpleCache
from flask import Flask, redirect, render_template_string, request, session
from flask_login import LoginManager, UserMixin, login_required, login_user, logout_user
from flask_session import Session
from flask_wtf import CSRFProtect
from redis import Redis

PAGE = """<!doctype html><title>Notes</title>
{% if current_user.is_authenticated %}<p>Logged in as <b id=user>{{ current_user.id }}</b></p>
<p>Your note: <q id=note>{{ note }}</q></p>
<form method=post action=/note><input name=note><input type=hidden name=csrf_token value="{{ csrf_token() }}"></form>
<form method=post action=/logout><input type=hidden name=csrf_token value="{{ csrf_token() }}"></form>
{% else %}<form method=post action=/login><input name=user><input name=password type=password>
<input type=hidden name=csrf_token value="{{ csrf_token() }}"></form>{% endif %}"""

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
where = os.environ.get("SESSIONS", "cookie")
if where == "memory":
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=SimpleCache(threshold=10_000))
elif where == "files":
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=FileSystemCache(os.environ["SESSION_DIR"]))
elif where == "redis":
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(os.environ["REDIS_URL"]))
if where != "cookie":
    Session(app)
CSRFProtect(app)
logins = LoginManager(app)
logins.login_view = "login"


class User(UserMixin):
    def __init__(self, name):
        self.id = name


@logins.user_loader
def load(name):
    return User(name)


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST" and request.form["password"] == os.environ["PASSWORD"]:
        login_user(User(request.form["user"]))
        return redirect("/")
    return render_template_string(PAGE)


@app.get("/")
@login_required
def home():
    return render_template_string(PAGE, note=session.get("note", ""))


@app.post("/note")
@login_required
def note():
    session["note"] = request.form["note"]
    return redirect("/")


@app.post("/logout")
@login_required
def logout():
    logout_user()
    session.clear()
    return redirect("/login")


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
