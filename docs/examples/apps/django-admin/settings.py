"""The settings that `django-admin startproject` writes, with what an owner would set for a test."""

import os

from notes.settings import *  # noqa: F403 - the project's own

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # so that logins are not what is measured
SESSION_ENGINE = f"django.contrib.sessions.backends.{os.environ['SESSIONS']}"
DATABASES["default"]["OPTIONS"] = {"timeout": 5, "init_command": "PRAGMA journal_mode=WAL"}  # noqa: F405
