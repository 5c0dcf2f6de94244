"""The baclofen line: texts and calls about one medicine, with the urgent message one key away.

Imports point inward: commands -> app -> demo, sms, voice -> door, line -> answering -> catalogue -> wording,
understanding -> lexicon, content, countries -> telling, folding, model. phone.py imports nothing of ours.
What the line sends by itself: commands -> worker -> outbox -> carrier.
Setting it up: commands -> doctor -> connecting -> carrier.
README.md has the map.
"""
