"""The filter language, and pages of what it finds.

`parser` reads filters, `fields` says what may be asked, `compile` turns both into queries, and `words` reads
what people type into a search box.
"""
