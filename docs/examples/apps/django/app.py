"""Notes, with Django in one file: sessions are rows of the database, or signed cookies, or in the process's memory."""

import os
import sys

import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import path

FORM = "<form method=post action={}><input name={} value=''>{{% csrf_token %}}</form>"
LOGIN = "<form method=post>{% csrf_token %}{{ form }}</form>"
PAGE = "<b id=user>{{ user.username }}</b><q id=note>{{ note }}</q>" + FORM.format("/note", "note")
PAGE += FORM.format("/logout", "x")
CACHE = "django.core.cache.backends.locmem.LocMemCache"

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"],
                           "OPTIONS": {"timeout": 5, "init_command": "PRAGMA journal_mode=WAL"}}},
    CACHES={"default": {"BACKEND": CACHE, "OPTIONS": {"MAX_ENTRIES": 10_000}}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"login.html": LOGIN})]}}],
    SESSION_ENGINE=f"django.contrib.sessions.backends.{os.environ['SESSIONS']}",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # an example's: logins must cost nothing
    LOGIN_URL="/login",
    LOGIN_REDIRECT_URL="/",
    USE_TZ=True,
)  # fmt: skip
django.setup()  # models, and views that use them, can be imported from here on
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.views import LoginView, LogoutView  # noqa: E402


@login_required
def home(request):
    page = engines["django"].from_string(PAGE)
    return HttpResponse(page.render({"note": request.session.get("note", ""), "user": request.user}, request))


@login_required
def note(request):
    request.session["note"] = request.POST["note"]
    return redirect("/")


urlpatterns = [
    path("", home),
    path("note", note),
    path("login", LoginView.as_view(template_name="login.html")),
    path("logout", LogoutView.as_view(next_page="/login")),
]

if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        call_command("migrate", verbosity=0)
        users = get_user_model()
        for number in range(1, int(sys.argv[2]) + 1):
            users.objects.create_user(f"user{number}", password="example")
    else:
        execute_from_command_line(["app.py", "runserver", "--noreload", f"127.0.0.1:{sys.argv[1]}"])
