#!/bin/sh -e
# A new project, as Django's tutorial makes it, and people who may use its administration: prepare.sh FOLDER COUNT
"$3" -m django startproject notes "$1"
"$3" -m django migrate --verbosity 0
"$3" -m django shell -v 0 -c "
from django.contrib.auth.models import User
for number in range(1, $2 + 1):
    User.objects.create_superuser(f'editor{number}', password='example')
"
