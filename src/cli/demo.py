import asyncio
import time


async def fetch(name):
    time.sleep(0.1)
    return name


async def main():
    await fetch("a")


asyncio.run(main())
