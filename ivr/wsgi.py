"""The WSGI entry of production: granian --interface wsgi ivr.wsgi:app"""

from ivr.app import create_app

app = create_app()
