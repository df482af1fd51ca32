"""Prices, checked, cached and recorded: it runs, and does three things that nobody meant."""

import asyncio
import queue
import threading
import time
import weakref


class Positive:
    def __set_name__(self, owner, name):
        self.storage = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.storage)

    def __set__(self, instance, value):
        if value <= 0:
            raise ValueError(f"{value} is not positive")
        setattr(instance, self.storage, value)


class Registry(type):
    known = []

    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        cls.known.append(cls)


class Instrument(metaclass=Registry):
    price = Positive()

    def __init__(self, price):
        self.price = price


class Bond(Instrument):
    pass


class Recent:
    def __init__(self):
        self.items = {}
        self.watches = {}

    def add(self, key, instrument):
        self.items[key] = instrument
        self.watches[key] = weakref.ref(instrument, lambda dead: self.items.pop(key))


class Recorder(threading.Thread):
    def __init__(self, inbox):
        super().__init__(daemon=True)
        self.inbox = inbox

    def run(self):
        while True:
            print("recorded", self.inbox.get())
            self.inbox.task_done()


async def quote(symbol) -> Bond:
    time.sleep(0.1)
    return Bond(len(symbol) * 10)


async def main():
    inbox = queue.Queue()
    Recorder(inbox).start()
    recent = Recent()

    quotes = [quote(symbol) for symbol in ("A", "BB", "CCC")]
    for bond in await asyncio.gather(*quotes):
        bond.price *= 1.01
        recent.add(bond.price, bond)
        inbox.put(bond.price)

    inbox.join()


asyncio.run(main())
