"""Several threads, a queue between them, a lock around what they share."""
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

jobs = queue.Queue()
results = []
lock = threading.Lock()


def work():
    while True:
        job = jobs.get()
        if job is None:
            break
        with lock:
            results.append(job * job)
        jobs.task_done()


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(10):
    jobs.put(number)
jobs.join()
for _ in threads:
    jobs.put(None)
for thread in threads:
    thread.join()
with ThreadPoolExecutor(max_workers=2) as pool:
    doubled = list(pool.map(lambda number: number * 2, sorted(results)))
print(doubled)
