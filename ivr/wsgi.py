"""The WSGI entry of production: granian --interface wsgi ivr.wsgi:app"""

from ivr import logs
from ivr.app import create_app

logs.configure()
app = create_app()
