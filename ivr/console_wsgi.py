"""The WSGI entry of the operators' pages: granian --interface wsgi ivr.console_wsgi:app"""

from ivr import logs
from ivr.console import create_console

logs.configure()
app = create_console()
