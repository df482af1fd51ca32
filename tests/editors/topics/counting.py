"""How long objects live: counts of references, a cycle, the collector."""
import gc
import sys


class Page:
    def __init__(self, title):
        self.title = title
        self.following = None


def chain():
    first, second = Page("first"), Page("second")
    first.following = second
    second.following = first


page = Page("cover")
bookmark = page
print(sys.getrefcount(page) - 1)
del bookmark
chain()
print("cycles:", gc.collect() > 0)
