"""Several things at once, on one thread."""
import asyncio
import time


async def download(name, seconds):
    print("begin", name)
    await asyncio.sleep(seconds)
    return name.upper()


async def report(names):
    tasks = [download(name, 0.01) for name in names]
    for result in await asyncio.gather(*tasks):
        print(result)
    time.sleep(0.01)
    asyncio.create_task(download("late", 0.01))


asyncio.run(report(["a", "b"]))
