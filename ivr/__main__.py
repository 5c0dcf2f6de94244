"""python -m ivr: the same as the ivr command."""

from ivr.commands import main

main()
